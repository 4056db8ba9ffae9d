"""A power cut at any call: what has a name is on the disk, whole; and the names are there when the verb has ended."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from gradlab import _files
from gradlab.data import arrays, load
from gradlab.models import MLP, save
from gradlab.reporting import write_small_form
from gradlab.training import Recipe
from gradlab.training.checkpoint import write_checkpoint
from gradlab.use import train_model
from gradlab.use.export import export_model
from tests.data import make
from tests.lab import toy
from tests.studied import study

pytestmark = pytest.mark.slow
UNFINISHED = (".part", ".tmp", ".lock", ".log")
"""What may be half there: it has not got its name yet, or nobody reads it."""


class Disk:
    """What of a folder is surely on the disk, by the calls that were made; content of a file is known by its inode."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.synced: dict[int, tuple[int, int]] = {}
        self.unnamed: set[Path] = set()
        self.cuts = 0

    def sync(self, handle: int) -> None:
        status = os.fstat(handle)
        self.synced[status.st_ino] = (status.st_size, status.st_mtime_ns)
        self.unnamed.discard(Path(os.readlink(f"/proc/self/fd/{handle}")))
        self.cut()

    def cut(self) -> None:
        """Assert that every file with a name is whole, if names reach the disk before contents and power fails now."""
        self.cuts += 1
        for path in self.finished():
            status = path.stat()
            known = self.synced.get(status.st_ino)
            assert known == (status.st_size, status.st_mtime_ns), f"{path} is not on the disk"

    def finished(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.root):
            folders[:] = [one for one in folders if not one.startswith(".")]
            yield from (Path(folder, name) for name in files if not name.endswith(UNFINISHED))


@contextmanager
def disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Watch every call that brings contents or names to the disk; in the end, every new name has to be there."""
    found = Disk(root)
    fsync, rename, replace = os.fsync, os.rename, os.replace

    def synced(handle: int) -> None:
        fsync(handle)
        found.sync(handle)

    def watched(call: Callable[..., None]) -> Callable[..., None]:
        def renamed(source: Path, target: Path) -> None:
            call(source, target)
            found.unnamed.add(Path(target).resolve().parent)
            found.cut()

        return renamed

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", synced)
        patch.setattr(os, "rename", watched(rename))
        patch.setattr(os, "replace", watched(replace))
        yield found
        found.cut()
    unnamed = [folder for folder in found.unnamed if folder.exists()]
    assert not unnamed, f"the names in {unnamed} are not on the disk"


def small_form(work: Path) -> None:
    report = study(work / "runs", seeds=1).folder
    for _ in range(2):  # the second takes the place of the first
        write_small_form([report], work / "small")


def model(work: Path) -> None:
    network = MLP(width=4, depth=1).build((1, 8, 8), 3, seed=0)
    save(network, work / "model")
    for form in ("safetensors", "torch-export"):
        export_model(network, form, work / form, input_shape=(1, 8, 8), class_names="abc")


def trained(work: Path) -> None:
    small = MLP(width=4, depth=1)
    train_model(small, load("digits"), Recipe(epochs=2), out=work / "m", runs=work / "runs", progress=False)


def decoded(work: Path) -> None:
    make.class_folders(work / ".pictures", np.random.default_rng(0), {"a": 5, "b": 5})
    os.environ["GRADLAB_CACHE"] = str(work / "cache")  # put back by own_places
    arrays(work / ".pictures")


VERBS: dict[str, tuple[Callable[[Path], object], int]] = {
    "records, looks": (lambda work: toy.run(toy.small_design(), toy.here(work / "out")), 80),
    "study, report, small form": (small_form, 200),
    "training, checkpoint, model": (trained, 20),
    "checkpoint": (lambda work: write_checkpoint(work / "c", {"a": torch.zeros(9)}, {}), 3),
    "saved models": (model, 15),
    "data cache": (decoded, 8),
}


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("verb", VERBS)
def test_at_every_call_what_has_a_name_is_whole(verb, exchanges, tmp_path, monkeypatch):
    do, calls = VERBS[verb]
    if not exchanges:
        if verb != "study, report, small form":
            pytest.skip("nothing is exchanged here")
        monkeypatch.setattr(_files, "_exchanged", lambda *_: False)
    with disk(tmp_path, monkeypatch) as found:
        do(tmp_path)
    assert found.cuts >= calls


def test_a_file_that_is_named_before_it_is_on_the_disk_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "sync_file", lambda _: None)
    with pytest.raises(AssertionError, match=r"one is not on the disk"), disk(tmp_path, monkeypatch):
        _files.write_whole(tmp_path / "one", b"1")


def test_a_name_that_is_not_on_the_disk_in_the_end_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "sync_folder", lambda _: None)
    with pytest.raises(AssertionError, match="are not on the disk"), disk(tmp_path, monkeypatch):
        _files.write_whole(tmp_path / "one", b"1")
