"""Changes between arms, seed by seed: how large they are, how often they are above 0, and what turns their sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.measured import measure_of, rows_of
from gradlab.lab.designing.shown import Table
from gradlab.lab.kinds import Measure
from gradlab.statistics import interval

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


@dataclass(frozen=True)
class Change:
    """A measure of one arm minus that of another.

    Attributes:
        by_seed: (n,) differences of the same seed. pairs: (n, n) differences of any two runs, one of each arm.
    """

    by_seed: np.ndarray
    pairs: np.ndarray

    @property
    def is_known(self) -> bool:
        """Whether every run has a value."""
        return bool(np.isfinite(self.pairs).all())


def change_of(measure: Measure, arm: str, other: str, study: Study) -> Change:
    """Return a measure of an arm minus that of another one, which has the same seeds."""
    mine, base = (np.array(study.interval_of(measure, name)[3], dtype=float) for name in (arm, other))
    return Change(mine - base, mine[:, None] - base[None, :])


def how_often(measure: Measure, arm: str, other: str, study: Study, *, any_two: bool) -> str:
    """Say how often a measure of an arm is above that of another one: "6 of 6 seeds", "7 of 36 pairs of runs"."""
    found = change_of(measure, arm, other, study)
    compared = found.pairs if any_two else found.by_seed
    return f"{int((compared > 0).sum())} of {compared.size} {'pairs of runs' if any_two else 'seeds'}"


def cells_of(measure: Measure, arm: str, other: str, study: Study, level: float) -> list[Any]:
    """Return the cells of a change: mean, interval over the seeds alone, each seed, and how many are above 0."""
    found = change_of(measure, arm, other, study)
    counts = [int((found.by_seed > 0).sum()), int((found.pairs > 0).sum()), found.pairs.size]
    if not found.is_known:
        return [float("nan"), None, None, found.by_seed.tolist(), *counts]
    over = interval(found.by_seed, level=level)
    most = measure.range[1] - measure.range[0] if measure.range else np.inf
    ends = [max(-most, over.low), min(most, over.high)] if over.is_bounded else [None, None]
    return [over.estimate, *ends, found.by_seed.tolist(), *counts]


def build_signs(table: Table, study: Study) -> dict[str, Any]:
    """Build a table of what turns the sign: two changes that differ in one thing alone, and how many have opposite signs.

    The changes are of the first measure; the row "measure" compares its sign with that of each other measure, where better
    counts as above 0. A change of 0, or an unknown one, is opposite to none.
    """
    arms = rows_of(table, study.design, study.kinds)
    measures = [measure_of(arms[0], name, study.kinds) for name in table.measures]
    signs = [_signs(measure, arms, table, study) for measure in measures]
    found = {factor: _across(factor, arms, signs[0]) for factor in table.signs}
    found["seed"] = [pair for one in signs[0].values() for pair in combinations(one[:, None], 2)]
    if len(measures) > 1:
        found["measure"] = [(signs[0][arm.name], other[arm.name]) for other in signs[1:] for arm in arms]
    return {
        "title": table.title,
        "caption": table.caption,
        "columns": ["differs", "opposite", "pairs", "share"],
        "rows": [[name, *_counted(pairs)] for name, pairs in found.items()],
        "display": [
            {"header": "What alone differs", "kind": "text", "columns": ["differs"]},
            {"header": "Opposite signs", "kind": "ratio", "columns": ["opposite", "pairs"]},
            {"header": "Share", "kind": "percent", "columns": ["share"], "digits": 0},
        ],
    }


def _signs(measure: Measure, arms: Sequence[Arm], table: Table, study: Study) -> dict[str, np.ndarray]:
    """Return arm -> the sign of its change, seed by seed; above 0 is better, where the measure has a better."""
    turn = -1 if measure.better == "lower" else 1
    return {
        arm.name: turn * np.sign(change_of(measure, arm.name, table.minus[arm.name], study).by_seed)
        for arm in arms
    }


def _across(
    factor: str, arms: Sequence[Arm], signs: Mapping[str, np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the signs of every two arms that differ in this factor and in no other."""
    return [
        (signs[a.name], signs[b.name])
        for a, b in combinations(arms, 2)
        if {name for name in a.factors | b.factors if a.factors.get(name) != b.factors.get(name)} == {factor}
    ]


def _counted(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Any]:
    """Return how many signs are opposite, of how many, and which share that is (None of none)."""
    opposite = sum(int((a * b < 0).sum()) for a, b in pairs)
    count = sum(a.size for a, _ in pairs)
    return [opposite, count, opposite / count if count else None]
