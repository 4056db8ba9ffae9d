"""Files are whole or absent, on the disk before they have their name, and nothing unfinished stays for ever."""

import os
import stat
import subprocess
import sys
import time

import pytest

from gradlab import _files
from gradlab._files import LEFT_BEHIND, put_in_place, read_regular, sync_folder, write_whole


def test_bytes_and_what_a_function_writes_replace_the_file(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(b"old and longer")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    write_whole(path, lambda place: place.write_bytes(b"newer"))
    assert path.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["one"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_what_is_no_regular_file_is_an_error_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless", ".", "nothing"):
        with pytest.raises(OSError, match=r"no regular file|No such file"):
            read_regular(tmp_path / name)
    (tmp_path / "one").write_bytes(b"1")
    assert read_regular(tmp_path / "one") == b"1"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(b"old")

    def fail(place):
        place.write_bytes(b"half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["one"]


def test_bytes_are_synced_before_the_rename_and_the_name_after_it(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace

    def synced(handle):
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        calls.append((kind, os.fstat(handle).st_size if kind == "file" else None))
        sync(handle)

    def replaced(source, target):
        calls.append(("rename", None))
        replace(source, target)

    monkeypatch.setattr(_files.os, "fsync", synced)
    monkeypatch.setattr(_files.os, "replace", replaced)
    write_whole(tmp_path / "one", b"12345")
    assert calls == [("file", 5), ("rename", None), ("folder", None)]


def test_what_a_killed_writer_left_is_removed_by_a_later_one_but_not_what_is_being_written(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom gradlab._files import write_whole\n"
        "def die(place):\n    place.write_bytes(b'half')\n    os._exit(9)\n"
        "write_whole(Path(sys.argv[1]), die)\n"
    )
    path = tmp_path / "one"
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 9
    (left,) = os.listdir(tmp_path)
    assert left.startswith(".one.")
    assert left.endswith(".part")
    write_whole(path, b"whole")
    assert sorted(os.listdir(tmp_path)) == [left, "one"]  # it may belong to a process that still writes
    (tmp_path / ".one.kept").write_bytes(b"a person's own")
    long_ago = time.time() - LEFT_BEHIND - 10
    for name in (left, ".one.kept"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    write_whole(path, b"whole")
    assert sorted(os.listdir(tmp_path)) == [".one.kept", "one"]


def test_a_file_system_that_cannot_sync_a_folder_is_no_error(tmp_path, monkeypatch):
    def refuse(_handle):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(_files.os, "fsync", refuse)
    sync_folder(tmp_path)

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        sync_folder(tmp_path)


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_new_folder_takes_the_place_of_the_old_which_stays_beside_it(tmp_path, monkeypatch, can_exchange):
    made, final, aside = (tmp_path / name for name in ("made", "final", "aside"))
    for folder in (made, final):
        folder.mkdir()
        (folder / "who").write_text(folder.name)
    if not can_exchange:
        monkeypatch.setattr(_files, "_exchanged", lambda _one, _other: False)
    put_in_place(made, final, aside)
    assert (final / "who").read_text() == "made"
    assert [(one / "who").read_text() for one in (made, aside) if one.exists()] == ["final"]


def test_where_the_new_folder_cannot_be_put_the_old_one_is_put_back(tmp_path, monkeypatch):
    (tmp_path / "final").mkdir()
    monkeypatch.setattr(_files, "_exchanged", lambda _one, _other: False)
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "never made", tmp_path / "final", tmp_path / "aside")
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
