"""Comparisons of which a run has no number, such as a mean over the fooled images where none is fooled: they stay open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradlab.lab.designing.claims import Part
from gradlab.statistics import Interval, Judgement

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


def without_value(part: Part, study: Study) -> list[str]:
    """Say of which arms, at which seeds, a measure has no value."""
    found = []
    for arm in part.contrast.weights:
        runs = study.arms[arm]
        measure = runs[0].kind.measures[part.measure]
        seeds = [
            str(seed)
            for seed, run in zip(study.seeds, runs, strict=True)
            if not math.isfinite(measure.value(run))
        ]
        if seeds:
            label = study.design.arm(arm).label
            found.append(f"{label}: no {part.measure} at seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}")
    return found


def undecided(part: Part, missing: list[str], study: Study, unit: str) -> Judgement:
    """Return the judgement of a comparison that lacks a number: open, without estimate and interval."""
    nothing = Interval(math.nan, -math.inf, math.inf, 0.95, len(study.seeds), math.nan, 0, rule="none")
    told = "; ".join(missing)
    return Judgement(
        kind=part.kind,
        verdict="open",
        reading="nothing is known",
        explanation=f"Not every run has a number to compare ({told}), so the claim is open.",
        delta=part.delta,
        unit=unit,
        look=1,
        interval=nothing,
        sign_flip=math.nan,
        sign_flip_boundary=part.delta,
        flags=(told,),
    )
