"""The small form: what evaluation read, each column once, and nothing else of the runs."""

import json
import random

import numpy as np
import pyarrow.parquet as pq
import pytest

from gradlab.lab.records import small as small_form
from gradlab.lab.records.record import Record
from gradlab.lab.records.small import Traced, read_small, write_small
from gradlab.types import UserError


@pytest.fixture
def records(toy_finished):
    return [Record(folder) for folder in sorted((toy_finished / "records").iterdir())][:6]


def written(folder, records, *read):
    traced = [Traced(record) for record in records]
    for run in traced:
        for table, column in read:
            if column in run.table(table):
                _ = run.table(table)[column]
    write_small(folder, traced)
    return read_small(folder)


READ = (("numbers", "hit"), ("numbers", "group"), ("curve", "value"))


def test_what_was_read_is_kept_and_nothing_else(records, tmp_path):
    runs = written(tmp_path, records, *READ)
    assert list(runs) == [record.hash for record in records]
    for record in records:
        run = runs[record.hash]
        assert (run.digest, run.spec, run.facts, run.made) == (
            record.digest, record.spec, record.facts, record.made,
        )  # fmt: skip
        assert run.damaged() == []
        assert set(run.table("numbers")) == {"hit", "group"}
        assert "x" not in run.table("numbers")
        for table, column in READ:
            if column in record.table(table):
                np.testing.assert_array_equal(run.table(table)[column], record.table(table)[column])


def test_looking_whether_a_column_is_there_is_not_reading_it(records):
    run = Traced(records[0])
    assert "x" in run.table("numbers")
    assert "nonsense" not in run.table("numbers")
    assert list(run.table("numbers")) == list(records[0].table("numbers"))
    assert run.read == set()
    _ = run.table("numbers")["x"]
    assert run.read == {("numbers", "x")}


def test_a_column_that_was_not_read_is_named_and_an_unknown_one_is_not_there(records, tmp_path):
    run = written(tmp_path, records, *READ)[records[0].hash]
    with pytest.raises(UserError, match="does not hold column x of table numbers, which is asked for"):
        _ = run.table("numbers")["x"]
    with pytest.raises(KeyError):
        _ = run.table("numbers")["nonsense"]
    assert list(run.table("nonsense")) == []


def test_equal_columns_are_kept_once_and_it_is_smaller_than_the_records(records, tmp_path):
    written(tmp_path, records, ("numbers", "group"))
    assert pq.read_metadata(tmp_path / "columns.parquet").num_rows == 1  # all have the same groups
    written(tmp_path, records, *READ, ("numbers", "x"))
    whole = sum(path.stat().st_size for record in records for path in record.folder.iterdir())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 0.8 * whole


def test_changed_texts_are_named(records, tmp_path):
    written(tmp_path, records, *READ)
    for name in ("spec", "facts", "made"):
        data = json.loads((tmp_path / "runs.json").read_text())
        data["runs"][2][name]["more"] = 1
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "runs.json").write_text(json.dumps(data))
        (tmp_path / "other" / "columns.parquet").write_bytes((tmp_path / "columns.parquet").read_bytes())
        assert read_small(tmp_path / "other")[records[2].hash].damaged() == [f"{name}.json"]


def test_damaged_bytes_are_refused_or_harmless(records, tmp_path):
    runs = written(tmp_path, records, *READ)
    values = {name: runs[name].table("numbers")["hit"].tolist() for name in runs}
    path, rng, refused = tmp_path / "columns.parquet", random.Random(0), 0
    whole = path.read_bytes()
    for _ in range(60):
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            again = read_small(tmp_path)
            assert {name: again[name].table("numbers")["hit"].tolist() for name in again} == values
        except UserError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": 3}', '{"runs": [{"record": "a"}]}'])
def test_a_damaged_list_of_runs_is_one_sentence(records, tmp_path, text):
    written(tmp_path, records, *READ)
    (tmp_path / "runs.json").write_text(text)
    with pytest.raises(UserError, match=r"is damaged; (restore|delete)"):
        read_small(tmp_path)


def test_a_missing_or_far_too_large_file_of_columns_is_one_sentence(records, tmp_path, monkeypatch):
    written(tmp_path, records, *READ)
    monkeypatch.setattr(small_form, "LARGEST", 100)
    with pytest.raises(UserError, match="would unpack to 0 MB, more than a small form holds"):
        read_small(tmp_path)
    (tmp_path / "columns.parquet").unlink()
    with pytest.raises(UserError, match=r"columns\.parquet is missing; restore the small form"):
        read_small(tmp_path)
