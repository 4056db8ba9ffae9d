import errno
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from gradlab.data import _cache, arrays, info, load, reading
from gradlab.types import UserError
from tests.data import make


@pytest.fixture
def decodings(monkeypatch):
    """Counts how often images were decoded."""
    count = []
    real = reading.decoded
    monkeypatch.setattr(reading, "decoded", lambda *a: count.append(1) or real(*a))
    return count


def entries(cache):
    return sorted(cache.glob("arrays/*"))


def test_images_are_decoded_once(mnist_like, decodings):
    first, second = arrays("mnist", mnist_like), arrays("mnist", mnist_like)
    info("mnist", mnist_like)
    assert len(decodings) == 1
    assert first.info == second.info
    for role, part in first.parts.items():
        assert (part.images == second.parts[role].images).all()
        assert (part.labels == second.parts[role].labels).all()


def test_a_file_that_only_moved_in_time_is_not_decoded_again(mnist_like, decodings):
    arrays("mnist", mnist_like)
    os.utime(mnist_like / "mnist" / "test.parquet", (1, 1))
    arrays("mnist", mnist_like)
    assert len(decodings) == 1


def test_a_changed_file_is_decoded_again(mnist_like, rng, decodings):
    before = info("mnist", mnist_like)
    make.parquet(mnist_like / "mnist" / "test.parquet", make.images(rng, 20, 28, 28), np.arange(20) % 10)
    after = info("mnist", mnist_like)
    assert len(decodings) == 2
    assert before.checksum != after.checksum
    assert before.digests["train"] == after.digests["train"]


def test_a_renamed_file_or_class_is_seen(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"cat": 5, "dog": 5})
    before = info(root)
    (root / "dog").rename(root / "elk")
    assert info(root).class_names == ("cat", "elk")
    assert info(root).checksum != before.checksum
    (root / "elk").rename(root / "dog")
    assert info(root).checksum == before.checksum


def test_two_folders_with_equal_content_keep_their_names(tmp_path, rng, decodings):
    one = make.class_folders(tmp_path / "one", rng, {"cat": 5, "dog": 5})
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", one, other], check=True)
    assert (info(one).name, info(other).name) == ("one", "other")
    assert info(one).checksum == info(other).checksum
    assert len(decodings) == 1


def test_changing_a_loaded_tensor_does_not_change_the_cache(mnist_like):
    load("mnist", mnist_like)
    data = load("mnist", mnist_like)
    data.train.images.zero_()
    assert load("mnist", mnist_like).train.images.any()


@pytest.mark.parametrize("damage", ["truncate", "remove", "facts", "empty"])
def test_a_damaged_entry_is_made_again(mnist_like, own_cache, decodings, damage):
    before = arrays("mnist", mnist_like).info
    (entry,) = entries(own_cache)
    if damage == "truncate":
        os.truncate(entry / "train_images.npy", 1000)
    elif damage == "remove":
        (entry / "test_labels.npy").unlink()
    elif damage == "facts":
        (entry / "facts.json").write_text("{")
    else:
        (entry / "test_images.npy").write_bytes(b"")
    assert arrays("mnist", mnist_like).info == before
    assert arrays("mnist", mnist_like).info == before
    assert len(decodings) == 2


def test_a_cache_that_cannot_be_written_only_warns(mnist_like, tmp_path, caplog):
    (tmp_path / "file").write_text("a file, not a folder")
    with caplog.at_level(logging.WARNING):
        found = arrays("mnist", mnist_like, cache_dir=tmp_path / "file")
    assert found.info.counts["test"] == 20
    assert "cannot be written" in caplog.text


def test_a_full_disk_only_warns_and_leaves_nothing_behind(mnist_like, own_cache, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_cache.np, "save", full)
    with caplog.at_level(logging.WARNING):
        assert arrays("mnist", mnist_like).info.counts["test"] == 20
    assert "No space left on device" in caplog.text
    assert entries(own_cache) == []


def test_what_killed_writers_left_is_swept_after_a_day(mnist_like, own_cache):
    old, young = own_cache / "arrays" / ".writing-old", own_cache / "arrays" / ".writing-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 90_000,) * 2)
    arrays("mnist", mnist_like)
    assert not old.exists()
    assert young.exists()


@pytest.mark.slow
def test_several_writers_at_once_leave_one_whole_entry(mnist_like, own_cache):
    code = "import sys; from gradlab.data import arrays; print(arrays('mnist', sys.argv[1]).info.checksum)"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, mnist_like], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    results = [writer.communicate() for writer in writers]
    assert [error for _, error in results] == [b""] * 3
    assert len({out for out, _ in results}) == 1
    assert len(entries(own_cache)) == 1


def flipped(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_changed_bytes_in_the_cache_are_found_and_made_again(mnist_like, own_cache, caplog):
    before = load("mnist", mnist_like)
    (file,) = own_cache.glob("arrays/*/test_images.npy")
    times = file.stat()
    flipped(file)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # size and time of change are as before
    with caplog.at_level(logging.WARNING):
        after = load("mnist", mnist_like, expect=before.checksum)
    assert (after.test.images == before.test.images.clone()).sum() >= after.test.images.numel() - 1
    assert "is made again" in caplog.text
    assert arrays("mnist", mnist_like).parts["test"].images.tobytes() == after.test.images.numpy().tobytes()


def test_a_copied_cache_is_hashed_once_and_used(mnist_like, own_cache, tmp_path, decodings, monkeypatch):
    arrays("mnist", mnist_like)
    subprocess.run(["cp", "-r", own_cache, tmp_path / "copy"], check=True)
    count = []
    real = _cache._file_hash
    monkeypatch.setattr(_cache, "_file_hash", lambda file: count.append(file.suffix) or real(file))
    for _ in range(2):
        arrays("mnist", mnist_like, cache_dir=tmp_path / "copy")
    assert count.count(".npy") == 6
    assert len(decodings) == 1


def test_facts_that_were_changed_by_hand_are_not_believed(mnist_like, own_cache, decodings):
    before = info("mnist", mnist_like)
    (file,) = own_cache.glob("arrays/*/facts.json")
    file.write_text(file.read_text().replace(before.checksum, "sha256:" + "0" * 64))
    assert info("mnist", mnist_like).checksum == load("mnist", mnist_like).checksum == before.checksum
    assert len(decodings) == 2


@pytest.mark.parametrize("name", ["digits", "pets", "pets[a]#3@4", "mine"])
def test_other_data_than_expected_are_refused(tmp_path, rng, name):
    if name.startswith("pets"):
        make.class_folders(tmp_path / "pets", rng, {"a": 10, "b": 10})
    (tmp_path / "mine").mkdir()
    rows = [f"sentence {i},{i % 2}" for i in range(20)]
    (tmp_path / "mine" / "train.csv").write_text("\n".join(["text,label", *rows]))
    was = info(name, tmp_path).checksum
    assert load(name, tmp_path, expect=was).checksum == was
    if name.startswith("pets"):
        for file in (tmp_path / "pets" / "a").iterdir():  # changed between the asking and the loading
            file.write_bytes(make.encode(make.images(rng, 1, 6, 6, 3)[0]))
    elif name == "mine":
        (tmp_path / "mine" / "train.csv").write_text("\n".join(["text,label", "another,0", *rows[1:]]))
    else:
        was = "sha256:" + "0" * 64
    with pytest.raises(
        UserError, match=rf"Data '{name.replace('[', '.')[:4]}.*' has changed: its checksum is sha256:"
    ):
        load(name, tmp_path, expect=was)


@pytest.mark.parametrize("umask", [0o022, 0o002])
def test_others_may_read_the_cache_as_the_umask_says(mnist_like, own_cache, umask):
    old = os.umask(umask)
    try:
        arrays("mnist", mnist_like)
    finally:
        os.umask(old)
    for path in own_cache.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~umask, path


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become two people")
def test_a_second_person_shares_the_cache_or_does_without(mnist_like):
    code = (
        "import os, sys; from gradlab.data import arrays, check\n"
        "place = {'cache_dir': sys.argv[2]}; check('mnist', sys.argv[1], **place)  # loads all that is needed\n"
        "os.setgid(65534); os.setuid(65534); print(arrays('mnist', sys.argv[1], **place).info.checksum)"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest keeps its own to one person
        place = Path(folder)
        place.chmod(0o755)
        shutil.copytree(mnist_like, place / "store")
        arrays("mnist", place / "store", cache_dir=place / "cache")
        expected = load("mnist", mnist_like).checksum
        for mode, warned in ((0o755, False), (0o700, True)):
            (place / "cache" / "arrays").chmod(mode)
            command = [sys.executable, "-c", code, place / "store", place / "cache"]
            process = subprocess.run(command, capture_output=True, text=True, cwd="/")
            assert process.stdout.strip() == expected, process.stderr
            assert ("going on without it" in process.stderr) == warned
