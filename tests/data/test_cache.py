import errno
import logging
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gradlab.data import _cache, arrays, info, load, reading
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
