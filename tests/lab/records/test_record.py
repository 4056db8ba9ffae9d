import errno
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from gradlab.lab.records.placing import write_record
from gradlab.lab.records.record import Record, Store, load
from gradlab.types import UserError
from tests.lab import toy
from tests.lab.records.outcomes import BOUND, TABLES, write
from tests.pages import ROOT

FILES = {
    "curve.parquet",
    "facts.json",
    "made.json",
    "names.parquet",
    "numbers.parquet",
    "spec.json",
    "weights.safetensors",
}


def test_what_is_written_is_read(tmp_path):
    write(tmp_path)
    record = load(tmp_path / BOUND.hash)
    assert record.hash == BOUND.hash
    assert record.spec == BOUND.spec
    assert record.facts == {"status": "finished", "note": None, "mean": 1.0, "word": "å"}
    assert record.made == {"seconds": 1.0}
    for table, columns in TABLES.items():
        found = record.table(table)
        assert set(found) == set(columns)
        assert len(found) == len(columns)
        for name, values in columns.items():
            assert name in found
            np.testing.assert_array_equal(found[name], values)
    assert list(record.table("nonsense")) == []
    path = record.file("weights.safetensors")
    assert path is not None
    assert path.read_bytes() == b"not really weights"
    assert record.file("bulk.safetensors") is None
    assert record.damaged() == []


def test_the_manifest_lists_every_file_and_every_column(tmp_path):
    record = write(tmp_path)
    assert set(record.manifest["files"]) == FILES
    assert {path.name for path in record.folder.iterdir()} == {*FILES, "manifest.json"}
    listed = record.manifest["tables"]
    assert {name: set(one["columns"]) for name, one in listed.items()} == {
        "numbers": {"x", "hit"},
        "names": {"word"},
        "curve": {"value"},
    }
    assert listed["numbers"]["rows"] == 3


def test_a_record_is_never_changed(tmp_path):
    write(tmp_path, 1.0)
    assert write(tmp_path, 2.0).facts["mean"] == 1.0


def test_a_folder_without_its_manifest_is_no_record_and_made_again(tmp_path):
    record = write(tmp_path, 1.0)
    (record.folder / "manifest.json").unlink()
    assert Store(tmp_path).find(record.hash) is None
    with pytest.raises(UserError, match="holds no run record; give a folder such as"):
        load(record.folder)
    assert write(tmp_path, 2.0).facts["mean"] == 2.0
    assert load(record.folder).damaged() == []


def test_what_a_person_put_into_a_record_that_is_made_again_stays(tmp_path):
    record = write(tmp_path, 1.0)
    (record.folder / "notes.txt").write_text("mine")
    (record.folder / "manifest.json").write_text("")
    assert write(tmp_path, 2.0).facts["mean"] == 2.0
    assert load(record.folder).damaged() == []
    assert (record.folder / "notes.txt").read_text() == "mine"
    assert os.listdir(tmp_path) == [record.hash]


def test_the_manifest_is_written_last_and_everything_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    calls: list[tuple[str, str]] = []
    paths: dict[int, str] = {}
    real = {"open": os.open, "fsync": os.fsync, "rename": os.rename}

    def fsync(handle):
        calls.append(("sync", os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))))
        real["fsync"](handle)

    def rename(a, b):
        assert "manifest.json" in os.listdir(a)
        calls.append(("rename", os.path.basename(b)))
        real["rename"](a, b)

    del paths
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    record = write(tmp_path)
    place = calls.index(("rename", record.hash))
    before = [name for call, name in calls[:place] if call == "sync"]
    assert set(before[:-1]) == {*FILES, "manifest.json"}
    assert before[-1].startswith(f".{record.hash}.")  # the folder, after all of its files
    assert calls[place + 1 :] == [("sync", tmp_path.name)]


def test_the_manifest_is_the_last_file_to_appear(tmp_path, monkeypatch):
    from pathlib import Path

    written = []
    real = Path.write_bytes

    def write_bytes(path, content):
        written.append(path.name)
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    write(tmp_path)
    assert written[-1] == "manifest.json"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_what_could_not_be_finished_leaves_nothing(tmp_path, monkeypatch, number):
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_facts_that_are_no_json_are_refused_and_leave_nothing(tmp_path):
    for value in (np.nan, object()):
        with pytest.raises((UserError, ValueError, TypeError)):
            write_record(tmp_path, BOUND, facts={"x": value}, made={}, tables={}, tensors={})
    assert list(tmp_path.iterdir()) == []


WRITE = """
import sys
from pathlib import Path
from tests.lab.records.outcomes import write

sys.stdin.read(1)  # all start at once
for _ in range(20):
    write(Path(sys.argv[1]), float(sys.argv[2]))
"""


@pytest.mark.slow
def test_of_several_writers_at_once_one_writes_the_whole_record(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), str(number)], stdin=subprocess.PIPE, cwd=ROOT
        )
        for number in (1, 2)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [BOUND.hash]
    record = load(tmp_path / BOUND.hash)
    assert record.damaged() == []
    assert record.facts["mean"] == record.table("curve")["value"][0]


def test_records_of_other_folders_are_read_and_never_written(tmp_path):
    other = write(tmp_path / "other", 7.0)
    store = Store(tmp_path / "own", (tmp_path / "other",))
    found = store.find(other.hash)
    assert found is not None
    assert found.facts["mean"] == 7.0
    assert not (tmp_path / "own").exists()
    with pytest.raises(
        UserError, match=r"record 0{20} is not in .*own; run the study again with the same --out"
    ):
        store.get("0" * 20)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"files": 3, "tables": {}}'])
@pytest.mark.parametrize("name", ["facts.json", "manifest.json"])
def test_damaged_texts_are_one_sentence(tmp_path, name, text):
    record = write(tmp_path)
    (record.folder / name).write_text(text)
    again = Record(record.folder)
    with pytest.raises(UserError, match=rf"{name} is damaged; delete the folder .* and run the study again"):
        _ = again.manifest if name == "manifest.json" else again.facts
    assert again.damaged() == [name]


def test_a_spec_of_another_name_is_named(tmp_path):
    record = write(tmp_path)
    other = record.folder.rename(tmp_path / ("0" * 20))
    assert Record(other).damaged() == ["spec.json"]


def test_a_record_that_changed_places_is_refused_wherever_it_is_used(toys):
    """Whole records whose folders changed names are whole in themselves, and each is another run than it is called."""
    first, second = sorted(one for one in (toys / "records").iterdir() if (one / "curve.parquet").exists())[
        :2
    ]
    first.rename(toys / "aside")
    second.rename(first)
    (toys / "aside").rename(second)
    with pytest.raises(
        UserError, match=r"holds another record, .* delete that folder and run the study again"
    ):
        _ = Record(first).spec
    with pytest.raises(UserError, match="holds another record"):
        toy.run(toy.small_design(), toy.here(toys))
    for folder in (toys / "records").iterdir():
        if load(folder).table("curve"):
            continue
        shutil.rmtree(folder)  # what rests on the two is made again, and may not read them
    with pytest.raises(UserError, match="holds another record"):
        toy.run(toy.small_design(), toy.here(toys))


def test_a_table_that_is_a_pipe_is_damage_and_does_not_hang(tmp_path):
    record = write(tmp_path)
    (record.folder / "numbers.parquet").unlink()
    os.mkfifo(record.folder / "numbers.parquet")
    with pytest.raises(UserError, match=r"numbers\.parquet is damaged; delete the folder"):
        _ = Record(record.folder).table("numbers")["x"]


def test_a_pipe_or_a_link_to_a_device_is_damage_and_does_not_hang(tmp_path):
    record = write(tmp_path)
    for name, make in (("facts.json", os.mkfifo), ("made.json", lambda path: os.symlink("/dev/zero", path))):
        (record.folder / name).unlink()
        make(record.folder / name)
    assert sorted(Record(record.folder).damaged()) == ["facts.json", "made.json"]


def test_names_that_reach_outside_the_folder_are_refused(tmp_path):
    record = write(tmp_path / "records")
    (tmp_path / "secret").write_text("mine")
    manifest = json.loads((record.folder / "manifest.json").read_text())
    from gradlab.lab.records.record import checksum

    for name in ("../../secret", str(tmp_path / "secret"), "/dev/zero", "..", ""):
        listed = manifest["files"] | {name: checksum(tmp_path / "secret")}
        (record.folder / "manifest.json").write_text(json.dumps(manifest | {"files": listed}))
        assert name in Record(record.folder).damaged()
        with pytest.raises(UserError, match=r"is damaged|is missing"):
            Record(record.folder).file(name)
