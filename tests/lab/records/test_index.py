"""The index spares reading and is never believed over a record."""

import os
import shutil

import pytest

from gradlab.lab.records.index import INDEX, rows_of_records
from gradlab.types import UserError
from tests.lab import toy

UNREAD = {"seed": "?"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    toy.run(toy.small_design(0), toy.here(out, (0, 1)))
    return out


@pytest.fixture
def runs(made, tmp_path):
    return shutil.copytree(made, tmp_path / "runs")


class Reader:
    """Reads a record's seed, and remembers which were read."""

    def __init__(self):
        self.names = []

    def __call__(self, record):
        self.names.append(record.hash)
        try:
            return {"seed": record.named_spec["seed"]}
        except UserError:
            return None


def listed(runs):
    reader = Reader()
    rows = rows_of_records(runs, reader, UNREAD)
    return rows, reader.names


def test_what_is_noted_is_not_read_again(runs):
    first, read = listed(runs)
    assert [name for name, _ in first] == read == sorted(path.name for path in (runs / "records").iterdir())
    assert len({row["seed"] for _, row in first}) > 1
    assert listed(runs) == (first, [])


def test_what_has_changed_is_new_or_damaged_is_read_and_what_is_gone_is_not_listed(runs):
    first, names = listed(runs)
    changed, gone, damaged = names[:3]
    spec = runs / "records" / changed / "spec.json"
    os.utime(spec, ns=(1, 1))
    shutil.rmtree(runs / "records" / gone)
    (runs / "records" / damaged / "spec.json").write_text("{")
    for _ in range(2):
        rows, read = listed(runs)
        assert rows == [(name, UNREAD if name == damaged else row) for name, row in first if name != gone]
        assert read in ([changed, damaged], [damaged])
    assert read == [damaged]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"gradlab": "0", "rows": 3}', '{"gradlab": "0", "rows": {}}']
)
def test_a_damaged_index_or_that_of_another_version_is_written_anew(runs, text):
    first, _ = listed(runs)
    (runs / INDEX).write_text(text)
    rows, read = listed(runs)
    assert (rows, len(read)) == (first, len(first))
    assert listed(runs)[1] == []


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no records; give the --out folder of a run"):
        listed(tmp_path)
