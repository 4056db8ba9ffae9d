"""Scores of a trained network: the record's own numbers come out again; other data is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gradlab.data import from_tensors
from gradlab.lab import find_record
from gradlab.metrics import METRICS
from gradlab.statistics import wilson
from gradlab.types import UserError
from gradlab.use import open_trained, score
from tests.studied import labels, predictions


@pytest.fixture
def record(out):
    return find_record(sorted((out / "records").iterdir())[0])


@pytest.fixture
def trained(record):
    return open_trained(record.folder)


def test_the_scores_of_a_record_are_those_it_holds(trained, record, digits):
    found = score(trained, digits)
    assert found.metrics.keys() == METRICS.keys()
    for name, value in record.facts["test"].items():
        assert found.metrics[name] == pytest.approx(value, abs=1e-6), name
    hits = int((predictions(record) == labels(record)).sum())
    assert found.intervals["accuracy"] == wilson(hits, 360)
    assert (found.images, found.part, found.notes) == (360, "test", ())


def test_every_class_is_a_plain_count(trained, record, digits):
    found = score(trained, digits)
    for number, one in enumerate(found.classes):
        mine = labels(record) == number
        right = int((predictions(record)[mine] == number).sum())
        assert one.row.samples == int(mine.sum())
        assert one.row.recall == pytest.approx(right / mine.sum())
        assert one.recall == wilson(right, int(mine.sum()))


def test_seen_images_are_said_to_be_seen(trained, digits):
    assert "trained on images of this part" in score(trained, digits, "train").notes[0]
    assert "chose the epoch" in score(trained, digits, "validation").notes[0]
    whole = score(trained, digits, "all")
    assert whole.images == sum(len(split) for split in digits.splits.values()) == 1797
    assert "trained on images of this part" in whole.notes[0]


def other(shape=(1, 8, 8), classes=10, count=60, **more):
    images = (
        torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)).mul(255).round().to(torch.uint8)
    )
    return from_tensors(
        images, torch.arange(count) % classes, class_names=[str(k) for k in range(classes)], **more
    )


def test_other_data_of_the_same_form_is_scored_and_named(trained):
    found = score(trained, other(name="mine"))
    assert "not the very images and parts of 'digits'" in found.notes[0]
    assert "may have been trained on some of them" in found.notes[0]
    assert any(note.startswith("The source has no test part") for note in found.notes)
    assert score(trained, other(name="mine"), "all").images == 60


def test_data_that_do_not_fit_are_one_sentence(trained):
    with pytest.raises(
        UserError, match=r"reads images 1×8×8 \(channels, height, width\), but those of 'x' are 3×8×8"
    ):
        score(trained, other((3, 8, 8), name="x"))
    with pytest.raises(
        UserError, match=r"was trained on 10 classes \(.*…\), but 'x' has 4 classes \(0, 1, 2, 3\)"
    ):
        score(trained, other(classes=4, name="x"))
    with pytest.raises(UserError, match="unknown part 'tset'; did you mean 'test'"):
        score(trained, other(), "tset")


def test_a_part_that_is_not_there_is_refused(trained, digits):
    with pytest.raises(UserError, match="'digits' has no test part here"):
        score(trained, replace(digits, test=None))


def test_a_class_without_images_has_no_interval(trained, digits):
    some = replace(digits, test=digits.test[torch.where(digits.test.labels != 3)[0]])
    found = score(trained, some)
    assert found.classes[3].recall is None
    assert found.as_record()["classes"][3]["recall_interval"] is None


def test_logits_that_are_not_finite_count_as_chance(trained, digits):
    torch.nn.init.constant_(trained.network.head.bias, float("nan"))
    found = score(trained, digits)
    share = float(np.mean(digits.test.labels.numpy() == 0))
    assert found.metrics["accuracy"] == pytest.approx(share)
    assert "360 images have logits that are not finite" in found.notes[0]
