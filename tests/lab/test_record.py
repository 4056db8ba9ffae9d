import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gradlab.lab.record import Record, load, read_columns, usable_logits, write_columns, write_record
from gradlab.training import predict_logits
from gradlab.types import UserError
from tests.lab.outcomes import SPEC, outcome

FILES = (
    "epochs.parquet",
    "errors.parquet",
    "gradients.parquet",
    "predictions.parquet",
    "run.json",
    "spec.json",
    "weights.safetensors",
)


def test_what_is_written_is_read(tmp_path):
    write_record(tmp_path, SPEC, outcome())
    record = load(tmp_path / SPEC.hash)
    made = outcome()
    assert record.spec == SPEC
    assert record.facts == made.facts
    for name in ("epochs", "gradients", "errors"):
        found, wanted = getattr(record, name), getattr(made, name)
        assert list(found) == list(wanted)
        for column, values in wanted.items():
            np.testing.assert_array_equal(found[column], values)
    assert record.epochs["epoch"].dtype == np.int32
    np.testing.assert_array_equal(record.labels, [0, 1])
    np.testing.assert_array_equal(record.predictions, [1, 1])
    np.testing.assert_array_equal(record.logits, np.array([[0.5, 1.5], [-2.0, np.inf]], dtype=np.float32))
    assert (record.folder / "weights.safetensors").read_bytes() == made.weights
    assert record.damaged() == []


def test_the_list_of_files_is_complete(tmp_path):
    record = write_record(tmp_path, SPEC, outcome())
    listed = json.loads((record.folder / "files.json").read_text())
    assert tuple(listed) == FILES
    assert {path.name for path in record.folder.iterdir()} == {*FILES, "files.json"}


def test_a_record_is_never_changed(tmp_path):
    write_record(tmp_path, SPEC, outcome(1.0))
    assert write_record(tmp_path, SPEC, outcome(2.0)).facts["number"] == 1.0


def test_the_same_columns_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_columns(tmp_path / name, outcome().epochs)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_changed_byte_in_any_file_is_named(tmp_path, name, place):
    record = write_record(tmp_path, SPEC, outcome())
    flip(record.folder / name, place)
    assert Record(record.folder).damaged() == [name]


def test_a_changed_list_of_files_is_named(tmp_path):
    record = write_record(tmp_path, SPEC, outcome())
    flip(record.folder / "files.json", 0.0)
    assert Record(record.folder).damaged() == ["files.json"]


def test_a_missing_file_is_named(tmp_path):
    record = write_record(tmp_path, SPEC, outcome())
    (record.folder / "epochs.parquet").unlink()
    assert record.damaged() == ["epochs.parquet"]


def flip(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[round(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)


def test_a_record_that_lost_its_list_of_files_is_none_and_made_again(tmp_path):
    record = write_record(tmp_path, SPEC, outcome(1.0))
    (record.folder / "files.json").unlink()
    with pytest.raises(UserError, match="holds no run record"):
        load(record.folder)
    assert write_record(tmp_path, SPEC, outcome(2.0)).facts["number"] == 2.0
    assert load(record.folder).damaged() == []


def test_a_folder_half_written_is_no_record(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        write_record(tmp_path, SPEC, outcome())
    assert list(tmp_path.iterdir()) == []  # not even a part of it


def test_a_damaged_table_is_one_sentence_that_names_the_file(tmp_path):
    write_columns(tmp_path / "epochs.parquet", outcome().epochs)
    (tmp_path / "epochs.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(
        UserError, match=r"epochs\.parquet is damaged; delete the folder .* and run the study again"
    ):
        read_columns(tmp_path / "epochs.parquet")
    with pytest.raises(UserError, match=r"other\.parquet is missing"):
        read_columns(tmp_path / "other.parquet")


def test_damaged_facts_are_one_sentence(tmp_path):
    record = write_record(tmp_path, SPEC, outcome())
    for text in ("{", "[]", ""):
        (record.folder / "run.json").write_text(text)
        with pytest.raises(UserError, match=r"run\.json is damaged"):
            _ = Record(record.folder).facts


WRITE = """
import sys
from pathlib import Path
from tests.lab.outcomes import SPEC, outcome
from gradlab.lab.record import write_record

sys.stdin.read(1)  # both start at once
for _ in range(20):
    write_record(Path(sys.argv[1]), SPEC, outcome(float(sys.argv[2])))
"""


def test_of_several_writers_at_once_one_writes_the_whole_record(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(number)], stdin=subprocess.PIPE)
        for number in (1, 2)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [SPEC.hash]
    record = load(tmp_path / SPEC.hash)
    assert record.damaged() == []
    assert record.facts["number"] == record.epochs["train_loss"][-1]


def test_logits_that_are_not_finite_count_as_chance():
    logits = np.array([[1, 2], [np.nan, 3], [np.inf, 0]], dtype=np.float32)
    np.testing.assert_array_equal(usable_logits(logits), np.array([[1, 2], [0, 0], [0, 0]], dtype=np.float32))


def test_the_model_of_a_record_gives_its_logits_bit_for_bit(finished, digits):
    folders = sorted((finished / "records").iterdir())
    assert len(folders) == 24  # four arms, a whole block of six seeds each
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for folder in folders[:6]:
            record = load(folder)
            logits = predict_logits(record.model(), digits.test).numpy()
            np.testing.assert_array_equal(logits, record.logits)
            np.testing.assert_array_equal(record.labels, digits.test.labels.numpy())
    finally:
        torch.set_num_threads(threads)


def test_a_place_without_a_record_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"holds no run record; give a folder such as runs/records/<hash>"):
        load(tmp_path)
