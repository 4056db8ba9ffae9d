"""Predictions for picture files equal those for the same pixels in memory."""

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.lab import find_record
from gradlab.types import UserError
from gradlab.use import Trained, open_trained, predict
from tests.studied import logits


@pytest.fixture
def record(out):
    return find_record(sorted((out / "records").iterdir())[0])


@pytest.fixture
def folder(tmp_path, digits):
    place = tmp_path / "pictures"
    place.mkdir()
    for number in range(20):
        Image.fromarray(digits.test.images[number, 0].numpy()).save(place / f"{number:02d}.png")
    return place


def test_files_are_judged_like_the_test_images(folder, record):
    found = list(predict(open_trained(record.folder), [folder], top=10))
    kept = logits(record)[:20].astype(float)
    probabilities = np.exp(kept) / np.exp(kept).sum(1, keepdims=True)
    names = record.facts["class_names"]
    for one, row in zip(found, probabilities, strict=True):
        assert one.changes == ()
        assert [name for name, _ in one.classes] == [names[k] for k in np.argsort(-row)]
        assert dict(one.classes) == pytest.approx(dict(zip(names, row, strict=True)), abs=1e-5)
        assert sum(value for _, value in one.classes) == pytest.approx(1)


def test_what_is_done_to_a_picture_is_said_and_a_broken_one_is_named(folder, record):
    Image.new("RGB", (20, 30), (9, 9, 9)).save(folder / "05b.png")
    (folder / "10b.png").write_text("none")
    found = list(predict(open_trained(record.folder), [folder]))
    assert len(found) == 22
    by_name = {one.path.name: one for one in found}
    assert by_name["05b.png"].changes == ("RGB to grey", "resized from 30×20 to 8×8")
    assert by_name["10b.png"].classes == ()
    assert "10b.png cannot be read (not an image)" in by_name["10b.png"].problem
    assert [one.path.name for one in found if one.problem is None and one.changes == ()] == [
        f"{number:02d}.png" for number in range(20)
    ]


def test_many_pictures_go_in_chunks(folder, record, monkeypatch):
    trained = open_trained(record.folder)
    whole = list(predict(trained, [folder]))
    monkeypatch.setattr("gradlab.use.predictions.CHUNK_PIXELS", 64 * 3)
    pieces = list(predict(trained, [folder]))
    assert [one.path for one in pieces] == [one.path for one in whole]
    for a, b in zip(pieces, whole, strict=True):
        assert a.classes[0][0] == b.classes[0][0]
        assert a.classes[0][1] == pytest.approx(b.classes[0][1], abs=1e-6)


def test_wrong_questions_are_refused(folder, record, tmp_path):
    trained = open_trained(record.folder)
    with pytest.raises(UserError, match="must be at least 1, got 0"):
        predict(trained, [folder], top=0)
    with pytest.raises(UserError, match="nothing to predict; name at least one picture"):
        predict(trained, [])
    with pytest.raises(UserError, match="there is no file or folder"):
        predict(trained, [tmp_path / "nowhere"])
    two = Trained(torch.nn.Identity(), "two", (2, 8, 8), ("a", "b"))
    with pytest.raises(UserError, match="pictures have 1 or 3 channels, but two reads 2"):
        predict(two, [folder])


def test_more_classes_than_there_are_is_all_of_them(folder, record):
    first = next(predict(open_trained(record.folder), [folder], top=99))
    assert len(first.classes) == 10
