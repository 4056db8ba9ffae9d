"""A verdict never rests on a record that is not what was written."""

import json
from pathlib import Path

import pytest

from gradlab.data import Dataset, gather, load, refuse_test
from gradlab.lab.record import FILES, Record, read_columns, write_columns
from gradlab.lab.store import wrong_metrics
from tests.lab.conftest import run_here


def first_record(out: Path) -> Record:
    return Record(sorted(path.parent for path in (out / "records").glob("*/files.json"))[0])


@pytest.mark.parametrize("name", [*FILES, "files.json"])
def test_asking_again_over_a_damaged_record_says_so_instead_of_a_verdict(
    name: str, out: Path, digits: Dataset
):
    for record in (out / "records").glob("*/files.json"):
        (record.parent / name).write_bytes(b"{}")
    with pytest.raises(
        ValueError, match=f"is damaged .*{name if name in FILES else 'spec.json'}.*delete its folder"
    ):
        run_here(out, digits)


def test_predictions_that_do_not_follow_from_the_logits_are_named(out: Path):
    record = first_record(out)
    assert wrong_metrics(record) == []
    columns = read_columns(record.folder / "predictions.parquet")
    columns["prediction"] = (columns["prediction"] + 1) % 10
    write_columns(record.folder / "predictions.parquet", columns)
    assert "predictions" in wrong_metrics(Record(record.folder))


def test_a_file_that_is_not_listed_counts_as_damage(out: Path):
    record = first_record(out)
    listed = json.loads((record.folder / "files.json").read_text())
    listed.pop("predictions.parquet")
    (record.folder / "files.json").write_text(json.dumps(listed))
    assert record.damaged() == ["predictions.parquet"]


def test_batches_of_test_images_stay_test_images():
    data = load("digits")
    assert data.test is not None
    indices = data.test.labels[:4] * 0
    with pytest.raises(ValueError, match="got the test split of 'digits'"):
        refuse_test(gather(data.test, indices), "fit")
    refuse_test(gather(data.train, indices), "fit")
