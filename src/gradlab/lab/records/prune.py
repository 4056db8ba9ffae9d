"""What an --out folder holds that no report refers to: records, and what killed processes left behind (no torch)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradlab.lab.finding import NAME
from gradlab.lab.locks import STUDY, try_lock
from gradlab.lab.record import Record, read_json
from gradlab.lab.spec import block_of
from gradlab.types import UserError

HALF_WRITTEN = re.compile(r"\.[0-9a-f]{20}\.[0-9a-f]{32}\.tmp")
CHECKPOINT = re.compile(r"([0-9a-f]{20})\.safetensors(\.\d+\.tmp)?")
WORKER_LOG = re.compile(r"worker-(\d+)-\d+\.log")


@dataclass(frozen=True)
class Leftover:
    """Something that can go: a path, why, and its size in bytes."""

    path: Path
    why: str
    size: int


@dataclass(frozen=True)
class Pruning:
    """What `find_leftovers` found.

    Attributes:
        leftovers: what can go. kept: how many records stay. unfinished: checkpoints of interrupted trainings, which stay.
        foreign: what lies among the records and is none of ours, or is not whole; it is never touched.
    """

    leftovers: tuple[Leftover, ...]
    kept: int
    unfinished: tuple[Path, ...]
    foreign: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes that would be free."""
        return sum(one.size for one in self.leftovers)

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {
            "leftovers": [
                {"path": str(one.path), "why": one.why, "bytes": one.size} for one in self.leftovers
            ],
            "bytes": self.size,
            "kept": self.kept,
            "unfinished": [str(path) for path in self.unfinished],
            "foreign": [str(path) for path in self.foreign],
        }


def find_leftovers(out: Path) -> Pruning:
    """Find the records that no report in `out` refers to, and what killed processes left; nothing is deleted.

    A record that trains together with one that a report refers to is kept: without it the study would train the whole
    block again.

    Raises:
        UserError: no records there, they belong to another folder, a report that cannot be read, or a study that
            runs there now.
    """
    with _alone(out):
        return _find(out)


def _find(out: Path) -> Pruning:
    records = out / "records"
    wanted = _referred(out)
    leftovers, foreign, kept = [], [], 0
    for path in sorted(records.iterdir()):
        if path.is_symlink() or not path.is_dir():
            foreign.append(path)
        elif HALF_WRITTEN.fullmatch(path.name):
            leftovers.append(Leftover(path, "half-written by a killed process", _size(path)))
        elif not _is_record(path):
            foreign.append(path)
        elif path.name in wanted:
            kept += 1
        else:
            leftovers.append(Leftover(path, "no report refers to it", _size(path)))
    finished = {path.name for path in records.iterdir() if _is_record(path)}
    work, unfinished = _work(out / "work", finished)
    return Pruning((*leftovers, *work), kept, tuple(unfinished), tuple(foreign))


def prune(out: Path) -> Pruning:
    """Delete what `find_leftovers` finds, and return it; errors as there."""
    with _alone(out):
        found = _find(out)
        for one in found.leftovers:
            if one.path.is_dir() and not one.path.is_symlink():
                # first the list that makes it a record, so that a half-deleted one is none
                (one.path / "files.json").unlink(missing_ok=True)
                shutil.rmtree(one.path)
            else:
                one.path.unlink(missing_ok=True)
        return found


def _is_record(path: Path) -> bool:
    """Whether a folder is a record and holds nothing else."""
    if path.is_symlink() or not NAME.fullmatch(path.name) or not (path / "files.json").is_file():
        return False
    try:
        listed = {*read_json(path / "files.json"), "files.json"}
    except UserError:
        return False
    return all(one.name in listed and one.is_file() and not one.is_symlink() for one in path.iterdir())


def _referred(out: Path) -> set[str]:
    """Names of the records that the reports refer to, and of those that train together with them."""
    found: set[str] = set()
    for results in _reports(out / "reports"):
        try:
            runs = json.loads(results.read_bytes())["runs"]
            found |= {str(run["record"]) for run in runs}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{results} cannot be read, so nobody knows which records it needs; nothing was deleted. "
                f"Run its study again, or delete {results.parent}."
            ) from error
    for name in sorted(found):
        if (out / "records" / name / "spec.json").is_file():
            found |= set(_mates(Record(out / "records" / name)))
    return found


def _reports(folder: Path) -> Iterator[Path]:
    """Every results.json below the folder, also behind links."""

    def refuse(error: OSError) -> None:
        raise UserError(
            f"{error.filename} cannot be read ({error.strerror}); nothing was deleted."
        ) from error

    seen: set[Path] = set()
    for name, folders, files in os.walk(
        folder, followlinks=True, onerror=refuse if folder.is_dir() else None
    ):
        place = Path(name)
        if place.resolve() in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(place.resolve())
        lost = [one for one in files if (place / one).is_symlink() and not (place / one).exists()]
        if lost:
            raise UserError(
                f"{place / lost[0]} leads nowhere, and may be a report; nothing was deleted. Mend or delete it."
            )
        if "results.json" in files:
            yield place / "results.json"
        elif not {"report.html", "report.md", "manifest.json"}.isdisjoint(files):
            raise UserError(
                f"{place} holds a report without its results.json, so nobody knows which records it needs; "
                "nothing was deleted. Run its study again, or delete that folder."
            )


def _mates(record: Record) -> Iterator[str]:
    """Names of the records of the seeds that train together with this one."""
    try:
        spec = record.spec
    except ValueError:  # damaged, or of another version: verify says so
        return
    for seed in block_of(spec.seed, spec.block):
        yield replace(spec, seed=seed).hash


def _work(folder: Path, finished: set[str]) -> tuple[list[Leftover], list[Path]]:
    """What lies in the working folder: leftovers, and checkpoints from which an interrupted training would go on."""
    leftovers, unfinished = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        checkpoint, log = CHECKPOINT.fullmatch(path.name), WORKER_LOG.fullmatch(path.name)
        if path.is_symlink() or not path.is_file():
            continue
        if checkpoint and checkpoint[2]:
            leftovers.append(Leftover(path, "half-written by a killed process", path.stat().st_size))
        elif checkpoint and checkpoint[1] in finished:
            leftovers.append(Leftover(path, "checkpoint of a finished training", path.stat().st_size))
        elif checkpoint:
            unfinished.append(path)
        elif log and not _is_alive(int(log[1])):
            leftovers.append(Leftover(path, "log of a process that has ended", path.stat().st_size))
    return leftovers, unfinished


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold every lock of the folder within the block, so that no study runs there: its records have no report yet."""
    if not (out / "records").is_dir():
        raise UserError(f"{out} holds no records; give the --out folder of a run.")
    for name in ("records", "work"):
        if (out / name).is_symlink():
            raise UserError(
                f"{out / name} is a link to {(out / name).resolve()}, which other reports may need; nothing was deleted. "
                "Prune the folder that it leads to."
            )
    with contextlib.ExitStack() as stack:
        for lock in sorted({out / "work" / STUDY, *(out / "work").glob("*.lock")}):
            held = try_lock(lock)
            if held is None:
                raise UserError(
                    f"a study is running in {out}; wait until it has written its report, then ask again."
                )
            stack.enter_context(held)
        yield


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
