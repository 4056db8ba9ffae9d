"""Records in object stores: every prefix of the writes is no record or the whole one; damage and mistakes are said."""

import json
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import fsspec
import pytest

from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.records.record import Record
from gradlab.types import UserError

from .outcomes import BOUND, write

WRITES = ("put_file", "pipe_file")


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    if request.param == "file":
        return f"file://{tmp_path}/store"
    return f"memory://{uuid.uuid4().hex}"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fetched(url: str, folder: Path) -> Record | None:
    """What another machine gets of the record; None if nothing, of which nothing may stay."""
    there = ObjectStore(url).fetch(BOUND.hash, folder)
    assert ObjectStore(url).listed >= ({BOUND.hash} if there else set())
    assert ObjectStore(url).fetch_listed(BOUND.hash, folder) == there
    assert [one.name for one in folder.glob("*")] == ([BOUND.hash] if there else [])
    assert not list(folder.glob(".*"))
    return Record(folder / BOUND.hash) if there else None


def test_what_is_kept_is_fetched_to_the_last_byte(url, tmp_path):
    record = write(tmp_path / "own")
    store = ObjectStore(url)
    assert fetched(url, tmp_path / "none") is None
    assert store.keep(record)
    assert not store.keep(record)
    assert not ObjectStore(url).keep(record)
    found = fetched(url, tmp_path / "other")
    assert files(found.folder) == files(record.folder)
    assert found.damaged() == []


class Killed(BaseException):
    """As a process that is killed, which handles nothing any more."""


def stop_after(monkeypatch, store: ObjectStore, count: int, half: bool) -> None:
    """Let so many writes through; the next one is not made, or made by half, and nothing after it."""
    done = 0

    def cut(write):
        def instead(source, to, *more, **options):
            nonlocal done
            done += 1
            if done <= count:
                return write(source, to, *more, **options)
            if half:
                place, content = (source, to) if isinstance(to, bytes) else (to, Path(source).read_bytes())
                plain(place, content[: len(content) // 2])
            raise Killed

        return instead

    plain = store._fs.pipe_file
    for name in WRITES:
        monkeypatch.setattr(store._fs, name, cut(getattr(store._fs, name)), raising=False)


@pytest.mark.parametrize("half", [False, True])
def test_a_kill_at_any_write_leaves_no_record_or_the_whole_one(url, tmp_path, half):
    record = write(tmp_path / "own")
    count = len(record.manifest["files"]) + 1
    for number in range(count + 1):
        place = f"{url}/{half}{number}"
        store = ObjectStore(place)
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, store, number, half)
            try:
                store.keep(record)
            except Killed:
                assert number < count
            else:
                assert number == count
        found = fetched(place, tmp_path / f"{number}")
        assert (found is not None) == (number == count)
        assert ObjectStore(place).keep(record) == (number < count)  # asked again, it is finished
        assert fetched(place, tmp_path / f"again{number}").digest == record.digest


def objects(url: str) -> dict[str, str]:
    """All that lies in a store: the last part of its path -> its path."""
    fs, root = fsspec.core.url_to_fs(url)
    return {path.rpartition("/")[2]: path for path in fs.find(root)}


def test_a_damaged_or_missing_object_is_never_believed_and_named(url, tmp_path):
    record = write(tmp_path / "own")
    fs = fsspec.core.url_to_fs(url)[0]
    for number, name in enumerate(sorted(record.manifest["files"])):
        place = f"{url}/{number}"
        ObjectStore(place).keep(record)
        path = objects(place)[name]
        content = fs.cat_file(path)
        for damage in (content[:-1] + bytes([content[-1] ^ 1]), content[:3], None):
            fs.rm_file(path) if damage is None else fs.pipe_file(path, damage)
            with pytest.raises(UserError) as caught:
                ObjectStore(place).fetch(BOUND.hash, tmp_path / "other")
            assert str(caught.value) == (
                f"record {BOUND.hash} in {place} is damaged ({name}); delete {place}/manifests/{BOUND.hash}.json there and "
                "ask again: it is then made anew."
            )
        assert not list((tmp_path / "other").glob("*"))


def test_after_its_manifest_is_deleted_a_damaged_record_can_be_kept_anew(url, tmp_path):
    ObjectStore(url).keep(write(tmp_path / "own"))
    fs = fsspec.core.url_to_fs(url)[0]
    fs.pipe_file(objects(url)["weights.safetensors"], b"damage")
    fs.rm_file(objects(url)[f"{BOUND.hash}.json"])
    ObjectStore(url).keep(Record(tmp_path / "own" / BOUND.hash))
    assert fetched(url, tmp_path / "other").damaged() == []


def test_another_record_under_a_name_and_paths_in_a_manifest_are_refused(url, tmp_path):
    record = write(tmp_path / "own")
    store = ObjectStore(url)
    store.keep(record)
    fs = fsspec.core.url_to_fs(url)[0]
    path = objects(url)[f"{BOUND.hash}.json"]
    manifest = json.loads(fs.cat_file(path))
    manifest["files"]["../outside"] = "0" * 64
    fs.pipe_file(path, json.dumps(manifest).encode())
    with pytest.raises(UserError, match="is damaged"):
        ObjectStore(url).fetch(BOUND.hash, tmp_path / "other")
    assert not (tmp_path / "other" / "outside").exists()
    other = "0" * 20
    fs.pipe_file(path.replace(BOUND.hash, other), record.listing)
    for name in record.manifest["files"]:
        content = (record.folder / name).read_bytes()
        folder = store._folder(other, record.listing)
        fs.makedirs(folder, exist_ok=True)
        fs.pipe_file(f"{folder}/{name}", content)
    with pytest.raises(UserError, match=r"is damaged \(spec\.json\)"):
        ObjectStore(url).fetch(other, tmp_path / "other")


def test_a_damaged_record_is_not_kept(url, tmp_path):
    record = write(tmp_path / "own")
    (record.folder / "facts.json").write_bytes(b"{}")
    with pytest.raises(UserError, match=r"is damaged \(facts\.json\); delete it and ask again"):
        ObjectStore(url).keep(Record(record.folder))
    assert ObjectStore(url).listed == set()


def test_two_writers_of_one_record_never_mix_their_files(url, tmp_path, monkeypatch):
    """Each has written a record of other bytes; they take turns, write by write, and the whole record of one is found."""
    one, other = write(tmp_path / "one", 1.0), write(tmp_path / "other", 2.0)
    assert one.digest != other.digest
    turns = threading.Barrier(2, timeout=20)

    def step(write):
        def instead(*given, **options):
            turns.wait()
            return write(*given, **options)

        return instead

    stores = [ObjectStore(url), ObjectStore(url)]
    first = stores[0]._fs
    for name in WRITES:
        monkeypatch.setattr(first, name, step(getattr(first, name)), raising=False)
    assert stores[1]._fs is first  # fsspec has one of each kind
    threads = [
        threading.Thread(target=store.keep, args=(record,))
        for store, record in zip(stores, (one, other), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    found = fetched(url, tmp_path / "third")
    assert found.damaged() == []
    assert found.digest in (one.digest, other.digest)


def test_a_store_that_cannot_be_used_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    store = ObjectStore(f"file://{tmp_path}/file/store")
    with pytest.raises(
        UserError, match=r"^the store file://.*/file/store cannot be used \(.*\); mend it and ask again"
    ):
        store.check()
    with pytest.raises(
        UserError, match=r"--store takes a URL that fsspec knows, such as s3://bucket/study, got 'ss3://b'"
    ):
        ObjectStore("ss3://b")

    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(
        UserError,
        match=r"--store s3://b needs a package .* pip install 'gradlab\[store\]' for s3://; .* Install s3fs to access S3$",
    ):
        ObjectStore("s3://b")


def test_a_mark_is_seen_by_who_uses_the_same_store_and_goes(url):
    store = ObjectStore(url)
    with store.marked() as name:
        assert ObjectStore(url).has_mark(name)
        assert not ObjectStore(f"{url}/other").has_mark(name)
    assert not store.has_mark(name)
    store.check()
    assert objects(url) == {}


def test_nobody_imports_fsspec_who_names_no_store():
    code = "import sys, gradlab.cli, gradlab.lab.records.objects, gradlab.lab.running.run; print('fsspec' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
