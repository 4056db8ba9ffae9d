"""Recompute every number of a result from its runs, and name what differs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab._files import read_regular
from gradlab.lab.designing.design import Design, read_design
from gradlab.lab.designing.procedure import Kinds, Pick
from gradlab.lab.judging.choice import choice_of
from gradlab.lab.judging.evaluate import Context, evaluate
from gradlab.lab.judging.look import Look
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.summaries import Summaries
from gradlab.lab.records.binding import Binder, Bound, Conditions, spec_hash
from gradlab.lab.records.record import Record, Run, checksum, read_json
from gradlab.lab.records.small import RUNS, SmallRun, read_small, read_summaries
from gradlab.types import UserError

TOLERANCE = 1e-11
"""Relative; other versions of the numeric libraries may differ in the last bits, a changed digit differs by more."""


@dataclass(frozen=True)
class Verification:
    """What a verification found: how many numbers were recomputed, what differs, how many runs were done again.

    Of a small form, `summarised` says how many measures of arms without a claim follow from recorded values of the seeds and
    variances of the samples, not from the samples.
    """

    folder: Path
    numbers: int
    runs: int
    differences: tuple[str, ...]
    again: int = 0
    summarised: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True)
class Rebound:
    """Bindings and runs of a stored result."""

    bound: Mapping[tuple[str, int], Bound]
    runs: Mapping[str, Run]


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


def open_runs(folder: Path, results: Mapping[str, Any]) -> dict[str, Run]:
    """Open the runs of a result: from the small form beside it, else from DIR/records.

    Raises:
        UserError: one is missing, or damaged.
    """
    names = [str(run["record"]) for run in (*results["runs"], *results["rests_on"])]
    small = read_small(folder) if (folder / RUNS).exists() else None
    records = folder.parent.parent / "records"
    found: dict[str, Run] = {}
    for name in names:
        if small is not None:
            if name not in small:
                raise UserError(f"{folder} lacks run {name}; the result cannot be recomputed.")
            found[name] = small[name]
        elif not (records / name / "manifest.json").is_file() or not name.isalnum():
            raise UserError(
                f"record {name} of {folder} is not in {records}; run the study again with the same --out."
            )
        else:
            found[name] = Record(records / name)
    return found


def verify_results(folder: Path, kinds: Kinds) -> tuple[dict[str, Any], list[str], int, int]:
    """Recompute results.json in `folder` from its runs.

    Returns: the recomputed results, the differences found, how many numbers were compared, and the number of runs.
    """
    stored = read_results(folder)
    try:
        runs = open_runs(folder, stored)
        differences = [one for run in runs.values() for one in _damage(run, kinds)]
        digests = {run["record"]: run["digest"] for run in (*stored["runs"], *stored["rests_on"])}
        differences += [
            f"run {name} is not the one that the result names"
            for name, run in runs.items()
            if run.digest != digests[name]
        ]
        fresh = recompute(stored, runs, kinds, summaries_beside(folder))
    except (KeyError, ValueError, OSError, TypeError, IndexError, AttributeError) as error:
        reason = error if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return stored, [f"the results cannot be recomputed: {' '.join(str(reason).split())}"], 0, 0
    compared = sum(1 for _ in _pairs(stored, fresh, ""))
    return fresh, differences + differing(stored, fresh), compared, len(runs)


def differing(was: Any, now: Any, place: str = "") -> list[str]:
    """Say where two results differ, each place by its path."""
    return [
        f"{where} is {_short(one)}, recomputed {_short(other)}"
        for where, one, other in _pairs(was, now, place)
        if not _same(one, other)
    ]


def _damage(run: Run, kinds: Kinds) -> list[str]:
    """Name what of a run is not what was written, or contradicts its own raw columns."""
    assert isinstance(run, Record | SmallRun)
    found = [f"{name} of run {run.hash} is not what was written" for name in run.damaged()]
    if spec_hash(run.spec) != run.hash:
        found.append(f"spec of run {run.hash} is not what was written")
    kind = kinds[run.spec["procedure"]["kind"]]
    return found + [
        f"{one} of run {run.hash} does not follow from it" for one in kind.check(Results(run, kind))
    ]


def summaries_beside(folder: Path) -> Summaries | None:
    """Return the summaries that a small form holds; None of whole records, and of a small form that holds all samples."""
    kept = read_summaries(folder) if (folder / RUNS).exists() else None
    return None if kept is None else Summaries(kept)


def recompute(
    stored: Mapping[str, Any], runs: Mapping[str, Run], kinds: Kinds, summaries: Summaries | None = None
) -> dict[str, Any]:
    """Bind every arm and seed of the stored design to the listed runs again, and evaluate it.

    Args:
        summaries: of arms without a claim, where a small form is read or written.

    Raises:
        UserError: an arm and seed is none of the listed runs.
    """
    design = read_design(stored["design"], kinds)
    conditions = Conditions(**stored["conditions"])
    binder = Binder(kinds, conditions, lambda pick, among: _choose(pick, among, runs, kinds))
    context = Context(
        preset=stored["preset"],
        data=stored["data"],
        data_checksum=conditions.checksums.get(stored["data"], stored["provenance"]["data_checksum"]),
        data_notes=tuple(stored["provenance"]["data_notes"]),
        seeds=tuple(stored["seeds"]),
        looks={name: _look(one) for name, one in stored["looks"].items()},
        command=stored["provenance"]["command"],
        conditions=conditions,
        asked=stored["asked"],
    )
    return evaluate(design, rebind(design, context.seeds, binder, runs), context, kinds, summaries)


def _look(stored: Mapping[str, Any]) -> Look:
    repeats = tuple((int(first), int(last)) for first, last in stored["repeats"])
    return Look(int(stored["number"]), int(stored["among"]), tuple(map(float, stored["deltas"])), repeats)


def rebind(design: Design, seeds: tuple[int, ...], binder: Binder, runs: Mapping[str, Run]) -> Rebound:
    """Find the run of every arm and seed, and of all that it rests on, among the given ones."""
    used: dict[str, Run] = {}
    for arm in design.arms:
        for below in binder.walk(arm.procedure, seeds):
            if below.has_record:
                what = f"arm {arm.name}" if below.seed is None else f"arm {arm.name} at seed {below.seed}"
                used[below.hash] = _named(below.hash, runs, what)
    bound = {(arm.name, seed): binder.bind(arm.procedure, seed) for arm in design.arms for seed in seeds}
    return Rebound(bound, used)


def _named(name: str, runs: Mapping[str, Run], what: str) -> Run:
    if name not in runs:
        raise UserError(f"{what} is run {name}, which the result does not list")
    return runs[name]


def _choose(pick: Pick, among: tuple[Bound, ...], runs: Mapping[str, Run], kinds: Kinds) -> int:
    kind = kinds[pick.among[0].kind]
    return choice_of(pick, [Results(_named(one.hash, runs, "a candidate"), kind) for one in among])


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
    for name, expected in listed.items():
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts or path.is_symlink():
            found.append(f"manifest.json names {name!r:.80}, which is no file of the report")
        elif not path.exists():
            found.append(f"{name} is missing")
        elif checksum(path) != expected:
            found.append(name)
    return found


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json.

    Raises:
        UserError: it is damaged.
    """
    path = folder / "results.json"
    try:
        found = json.loads(read_regular(path))
        if isinstance(found, dict):
            return found
        reason = "it holds no object"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)
    raise UserError(f"{path} is damaged ({reason}); run the study again, its records are kept.")


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
