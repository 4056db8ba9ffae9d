"""What a small form keeps of arms that no claim is about: each seed's values, and what their intervals need of the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from gradlab.lab.designing.design import Design
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.tables import LEVEL, Told, ends_within, interval_over, measure_and_values
from gradlab.lab.kinds import Kind, Measure
from gradlab.lab.records.small import Traced
from gradlab.statistics import interval_again
from gradlab.types import UserError

Summary = Mapping[str, Any]
"""Plain JSON: "values" of the seeds (None for one that is not finite); where they have an interval, the "axes" of the samples
with their variance and skewness, and the "seed_variance" of the mean."""


class Summaries:
    """Summaries of the measures of arms: those that a small form holds, or, for writing one, those of whole runs.

    Attributes:
        kept: arm -> measure -> summary.
    """

    def __init__(self, kept: Mapping[str, Mapping[str, Summary]] | None = None) -> None:
        self.is_complete = kept is not None
        self.kept = {arm: dict(of_arm) for arm, of_arm in (kept or {}).items()}

    def interval(self, measure: Measure, arm: str, runs: Sequence[Results]) -> Told:
        """Return mean, interval and the seeds' values, from the summary of an arm.

        Raises:
            UserError: the small form holds none.
        """
        of_arm = self.kept.setdefault(arm, {})
        if measure.name not in of_arm:
            if self.is_complete:
                raise UserError(
                    f"the small form does not hold {measure.name} of arm {arm}, which is asked for."
                )
            of_arm[measure.name] = summary_of(measure, [_untraced(run) for run in runs])
        return told(measure, of_arm[measure.name])


def without_claim(design: Design, kinds: Mapping[str, Kind]) -> frozenset[str]:
    """Name the arms that no claim is about and whose kind has them summarised in a small form."""
    claimed = {arm for claim in design.claims for part in claim.parts for arm in part.contrast.weights}
    return frozenset(
        arm.name
        for arm in design.arms
        if arm.name not in claimed and not arm.is_pick and kinds[arm.procedure.kind].is_summarised
    )


def summary_of(measure: Measure, runs: Sequence[Results]) -> Summary:
    """Return what the interval of an arm needs: a few numbers, however many samples there are."""
    measure, values = measure_and_values(measure, runs)
    found: dict[str, Any] = {"values": [one if math.isfinite(one) else None for one in values]}
    if None in found["values"]:
        return found
    whole = interval_over(measure, runs, values)
    if whole.is_bounded:
        found |= {"axes": [asdict(axis) for axis in whole.axes], "seed_variance": whole.seed_variance}
    return found


def told(measure: Measure, summary: Summary) -> Told:
    """Return mean, 95 % interval over seeds and samples, and the seeds' values."""
    values = [math.nan if one is None else float(one) for one in summary["values"]]
    if None in summary["values"]:
        return math.nan, None, None, values
    if "axes" not in summary:
        return float(np.mean(values)), None, None, values
    again = interval_again(values, summary["axes"], summary["seed_variance"], level=LEVEL)
    return ends_within(measure, again, values)


def _untraced(run: Results) -> Results:
    """Return a run whose columns may be read without being kept."""
    return replace(run, run=run.run.run) if isinstance(run.run, Traced) else run
