"""Recompute every number of a result from its records, and name what differs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.lab.design import read_design
from gradlab.lab.evaluate import Context, evaluate
from gradlab.lab.record import Record, read_json
from gradlab.lab.spec import dump_spec
from gradlab.lab.store import SmallRun, changed_facts, damaged_files, open_runs
from gradlab.types import UserError

OF_ARM = ("model", "recipe", "train_images", "probe_steps")
"""What the spec of a run takes from its arm."""
TOLERANCE = 1e-11
"""Relative; other versions of the numeric libraries may differ in the last bits, a changed digit differs by more."""


@dataclass(frozen=True)
class Verification:
    """What a verification found: how many numbers were recomputed and what differs."""

    folder: Path
    numbers: int
    runs: int
    differences: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def result_folders(path: Path) -> list[Path]:
    """Find the results under a report, its folder, or a folder that holds some.

    Raises:
        UserError: there is none.
    """
    if path.is_file():
        path = path.parent
    if (path / "results.json").exists():
        return [path]
    found = sorted(file.parent for file in path.glob("reports/*/results.json")) or sorted(
        file.parent for file in path.glob("*/results.json")
    )
    if not found:
        raise UserError(
            f"{path} holds no results.json; give a report, its folder, or the --out folder of a run."
        )
    return found


def verify_results(folder: Path) -> tuple[dict[str, Any], list[str], int, int]:
    """Recompute results.json in `folder` from its records.

    Returns: the recomputed results, the differences found, how many numbers were compared, and the number of runs.
    """
    stored = read_results(folder)
    try:
        digests = {run["record"]: run["digest"] for run in stored["runs"]}
        hashes = list(digests)
        differences = [f"{name} is not what was written" for name in damaged_files(folder, digests)]
        if any(not name.startswith("records/") or "weights" not in name for name in differences):
            return stored, differences, 0, len(hashes)
        opened = open_runs(folder, hashes)
        differences += [f"{name} is not what was written" for name in changed_facts(opened)]
        fresh, misplaced = _recomputed(stored, opened)
    except (KeyError, ValueError, OSError, TypeError, IndexError, AttributeError) as error:
        reason = error if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return stored, [f"the results cannot be recomputed: {' '.join(str(reason).split())}"], 0, 0
    differences += misplaced
    compared = 0
    for place, was, now in _pairs(stored, fresh, ""):
        compared += 1
        if not _same(was, now):
            differences.append(f"{place} is {_short(was)}, recomputed {_short(now)}")
    return fresh, differences, compared, len(opened)


def _recomputed(
    stored: Mapping[str, Any], opened: Mapping[str, Record | SmallRun]
) -> tuple[dict[str, Any], list[str]]:
    """Evaluate the stored design on its runs again; also name the runs that are not of the arm and seed they stand for."""
    design = read_design(stored["design"])
    listed: dict[str, dict[int, str]] = {}
    for run in stored["runs"]:
        listed.setdefault(run["arm"], {})[run["seed"]] = run["record"]
    runs = {arm.name: [opened[listed[arm.name][seed]] for seed in stored["seeds"]] for arm in design.arms}
    checksum = stored["provenance"]["data_checksum"]
    misplaced = []
    for arm, planned in zip(design.arms, stored["design"]["arms"], strict=True):
        for seed, run in zip(stored["seeds"], runs[arm.name], strict=True):
            spec = run.spec if isinstance(run, SmallRun) else dump_spec(run.spec)
            found = (spec["seed"], spec["data_checksum"], *(spec.get(name) for name in OF_ARM))
            if found != (seed, checksum, *(planned.get(name) for name in OF_ARM)):
                misplaced.append(f"run {run.hash} is not of arm {arm.name} at seed {seed} on this data")
    return evaluate(design, runs, _context(stored)), misplaced


def changed_files(folder: Path) -> list[str]:
    """Name the files of a report that are not what was written beside results.json.

    Hidden files are left out: what a killed process left half-written, and what systems put into folders.
    """
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return ["manifest.json is missing, so report files cannot be checked byte by byte"]
    try:
        listed = read_json(manifest)
    except UserError:
        return ["manifest.json"]
    present = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path != manifest and not path.name.startswith(".")
    }
    found = [f"{name} is not listed in manifest.json" for name in sorted(present - set(listed))]
    for name, checksum in listed.items():
        path = folder / name
        if not path.exists():
            found.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            found.append(name)
    return found


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json.

    Raises:
        UserError: it is damaged.
    """
    path = folder / "results.json"
    try:
        found = json.loads(path.read_text())
        if isinstance(found, dict):
            return found
        reason = "it holds no object"
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        reason = str(error)
    raise UserError(f"{path} is damaged ({reason}); run the study again, its records are kept.")


def _context(stored: Mapping[str, Any]) -> Context:
    provenance = stored["provenance"]
    return Context(
        preset=stored["preset"],
        data=stored["data"],
        data_checksum=provenance["data_checksum"],
        data_notes=tuple(provenance["data_notes"]),
        seeds=tuple(stored["seeds"]),
        look=stored["look"],
        precision=provenance["precision"],
        device=provenance["device"],
        threads=provenance["threads"],
        command=provenance["command"],
    )


def _pairs(was: Any, now: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Walk two results in step; each leaf with the path that names it."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            yield from _pairs(was.get(key), now.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            label = one.get("id") or one.get("name") or one.get("label") if isinstance(one, dict) else None
            yield from _pairs(one, other, f"{place}[{label or number}]")
    else:
        yield place, was, now


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, (int, float)) and isinstance(now, (int, float)) and not isinstance(was, bool):
        return math.isclose(was, now, rel_tol=TOLERANCE, abs_tol=1e-300)
    return type(was) is type(now) and was == now


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"
