"""What an --out folder holds that no report refers to: records, and what killed processes left behind (no torch)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab._files import read_regular
from gradlab.lab.records.binding import block_of, spec_hash
from gradlab.lab.records.record import MANIFEST, NAME, Record, holds_only_ours, read_json
from gradlab.lab.records.wanted import RECORDS, records_named, records_of_models, remembered
from gradlab.lab.running.locks import STUDY, try_lock
from gradlab.types import UserError

HALF_WRITTEN = re.compile(r"\.[0-9a-f]{20}\.[0-9a-f]{32}\.tmp")
HALF_FILE = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
CHECKPOINT = re.compile(r"([0-9a-f]{20})(\.safetensors|\.parts|\.log)(\.\d+\.tmp)?")
WORKER_LOG = re.compile(r"worker-(\d+)-([0-9a-f]+-)?\d+\.log")
HALF = "half-written by a killed process"
MODEL = "model.json"
"""What makes a folder a model."""


RUNNING = "a study is running in {out}; wait until it has written its report, then ask again."


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
        leftovers: what can go. kept: how many records stay. unfinished: checkpoints and parts of interrupted runs, which stay.
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
    """Find the records that no report in `out` ever rested on, and what killed processes left; nothing is deleted.

    Wanted is what a report rests on, what the reports rested on that stood in its folder before (of other parameters, or
    fewer seeds), what a model folder was written from, and all that these rest on. A record that runs together with one
    of them is kept: without it the whole block would run again.

    Raises:
        UserError: no records there, they belong to another folder, a report that cannot be read, or a study that
            runs there now.
    """
    with _alone(out):
        return _find(out)


def _find(out: Path) -> Pruning:
    records = out / "records"
    wanted = _wanted(out)
    leftovers, foreign, kept = [], [], 0
    for path in sorted(records.iterdir()):
        if path.is_symlink() or not path.is_dir():
            foreign.append(path)
        elif HALF_WRITTEN.fullmatch(path.name) and holds_only_ours(path):
            leftovers.append(Leftover(path, HALF, _size(path)))
        elif not _is_record(path):
            foreign.append(path)
        elif path.name in wanted:
            kept += 1
        else:
            leftovers.append(Leftover(path, "no report refers to it", _size(path)))
    finished = {path.name for path in records.iterdir() if _is_record(path)}
    work, unfinished = _work(out / "work", finished)
    work += _half_files(out)
    return Pruning((*leftovers, *work), kept, tuple(unfinished), tuple(foreign))


def prune(out: Path) -> Pruning:
    """Delete what `find_leftovers` finds, and return it; errors as there."""
    with _alone(out):
        found = _find(out)
        for one in found.leftovers:
            if one.path.is_dir() and not one.path.is_symlink():
                shutil.rmtree(_as_half_written(one.path))
            else:
                one.path.unlink(missing_ok=True)
        return found


def _as_half_written(path: Path) -> Path:
    """Take a record's name from it, so that a half-deleted one is none, and goes when it is asked again."""
    if not NAME.fullmatch(path.name):
        return path
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    os.rename(path, aside)
    return aside


def _is_record(path: Path) -> bool:
    """Whether a folder is a record and holds nothing else."""
    if path.is_symlink() or not NAME.fullmatch(path.name) or not (path / MANIFEST).is_file():
        return False
    try:
        listed = {*Record(path).manifest["files"], MANIFEST}
    except UserError:
        return False
    return all(one.name in listed and one.is_file() and not one.is_symlink() for one in path.iterdir())


def _wanted(out: Path) -> set[str]:
    """Names of the records that are wanted, of all that they rest on, and of those that run together with them."""
    named = records_of_models(out, MODEL)
    for folder in _reports(out / "reports"):
        named |= remembered(folder)
        results = folder / "results.json"
        try:
            named |= records_named(json.loads(read_regular(results))) if results.exists() else set()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"{results} cannot be read, so nobody knows which records it needs; nothing was deleted. "
                f"Run its study again, or delete {folder}."
            ) from error
    found: set[str] = set()
    waiting = sorted(named)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _beside(out / "records" / name)
    return found


def _reports(folder: Path) -> Iterator[Path]:
    """Folders of reports below the folder, also behind links."""

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
            yield place
        elif not {"report.html", "report.md", "manifest.json"}.isdisjoint(files):
            raise UserError(
                f"{place} holds a report without its results.json, so nobody knows which records it needs; "
                "nothing was deleted. Run its study again, or delete that folder."
            )
        elif RECORDS in files:  # its report was about to be written
            yield place


def _beside(folder: Path) -> list[str]:
    """Names of the records that one rests on, and of those of the seeds that run together with it."""
    if not NAME.fullmatch(folder.name) or not (folder / "spec.json").is_file():
        return []
    try:
        spec = read_json(folder / "spec.json")
        seeds = [] if spec["seed"] is None else block_of(int(spec["seed"]), int(spec["block"]))
        mates = [spec_hash({**spec, "seed": seed}) for seed in seeds]
        return [*mates, *map(str, spec["inputs"].values())]
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):  # damaged: verify says so
        return []


def _work(folder: Path, finished: set[str]) -> tuple[list[Leftover], list[Path]]:
    """What lies in the working folder: leftovers, and checkpoints from which an interrupted run would go on."""
    leftovers, unfinished = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        checkpoint, log = CHECKPOINT.fullmatch(path.name), WORKER_LOG.fullmatch(path.name)
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            continue
        if path.is_dir() and not (checkpoint and checkpoint[2] == ".parts" and not checkpoint[3]):
            continue
        if checkpoint and checkpoint[3]:
            leftovers.append(Leftover(path, HALF, _size(path)))
        elif checkpoint and checkpoint[1] in finished:
            leftovers.append(Leftover(path, "checkpoint of a finished run", _size(path)))
        elif checkpoint:
            unfinished.append(path)
        elif log and not _is_alive(int(log[1])):
            leftovers.append(Leftover(path, "log of a process that has ended", _size(path)))
    return leftovers, unfinished


def _half_files(out: Path) -> list[Leftover]:
    """Files that a killed process was writing; nobody writes while every lock is held."""
    places = [out / "work", *sorted((out / "work").glob("*.parts")), out / "looks", out / "models"]
    reports = sorted(path for path in (out / "reports").glob("*") if path.is_dir())
    places += [place for report in reports for place in (report, report / "figures", report / "tables")]
    found: Iterable[Path] = (path for place in places for path in sorted(place.glob(".*.part")))
    return [Leftover(path, HALF, _size(path)) for path in found if _is_half(path)]


def _is_half(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and HALF_FILE.fullmatch(path.name) is not None


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
    """Hold the study lock of the folder within the block, when no other is held: what runs there has no report yet."""
    if not (out / "records").is_dir():
        raise UserError(f"{out} holds no records; give the --out folder of a run.")
    for name in ("records", "work"):
        if (out / name).is_symlink():
            raise UserError(
                f"{out / name} is a link to {(out / name).resolve()}, which other reports may need; nothing was deleted. "
                "Prune the folder that it leads to."
            )
    study = try_lock(out / "work" / STUDY)
    if study is None:
        raise UserError(RUNNING.format(out=out))
    with study:  # no other study begins; a unit that runs without one holds its own lock
        for path in sorted((out / "work").glob("*.lock")):
            if path.name != STUDY:
                held = try_lock(path)
                if held is None:
                    raise UserError(RUNNING.format(out=out))
                held.close()
        yield


def _size(path: Path) -> int:
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size
    return sum(one.lstat().st_size for one in path.rglob("*") if not one.is_dir())
