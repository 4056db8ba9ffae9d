"""One claim, judged: its contrast computed from the runs, its verdict, and what qualifies it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.designing.claims import Claim, Part
from gradlab.lab.designing.design import OTHERWISE, OWN, Design
from gradlab.lab.designing.measured import measure_of
from gradlab.lab.judging.choice import edge_flags
from gradlab.lab.judging.missing import undecided, without_value
from gradlab.lab.judging.tables import sampled
from gradlab.lab.kinds import Better, Measure
from gradlab.statistics import (
    Differences,
    Judgement,
    contrast_values,
    judge,
    judge_every,
    on_shared_rows,
)
from gradlab.statistics import Part as JudgePart

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


def judge_claim(claim: Claim, study: Study) -> dict[str, Any]:
    """Return a claim with its verdict, as results.json holds it."""
    missing = {part.label: told for part in claim.parts if (told := without_value(part, study))}
    inputs = {part.label: judge_part(part, study) for part in claim.parts if part.label not in missing}
    look = study.context.looks[claim.id]
    common: dict[str, Any] = {"claims": look.among, "look": look.number}
    if missing:
        found = _despite(claim, missing, inputs, study, common)
    elif len(claim.parts) == 1:
        (one,) = inputs.values()
        found = judge(
            one.a,
            kind=one.kind,
            delta=one.delta,
            learned=one.learned,
            unit=one.unit,
            better=one.better,
            given=one.given,
            **common,
        )
    else:
        found = judge_every(inputs, **common)
    record = found.as_record()
    weakest = next((part for part in claim.parts if part.label == found.weakest), claim.parts[0])
    record["flags"] = [*record["flags"], *_flags(claim, study), *look.flags(weakest.delta)]
    deviations = _deviations(claim, study.design)
    record |= {
        "id": claim.id,
        "statement": claim.statement,
        "measure": weakest.measure,
        "unit": _measure(weakest, study).unit,
        "predicts": claim.predicts,
        "means": claim.means,
        "figure": claim.figure,
        "same_setting": not deviations,
        "other_setting": "; ".join(deviations) or None,
        "published": None if claim.published is None else vars(claim.published) | {},
        "agrees": _agrees(claim, found, deviations),
        "parts": [_part(part, inputs.get(part.label), found, study) for part in claim.parts],
    }
    return record


def _deviations(claim: Claim, design: Design) -> tuple[str, ...]:
    """Return how a claim's setting differs from the published one."""
    if claim.deviations is not None:
        return claim.deviations
    return design.deviations or ((OTHERWISE,) if claim.published and design.setting == OWN else ())


def _despite(
    claim: Claim,
    missing: dict[str, list[str]],
    inputs: dict[str, JudgePart],
    study: Study,
    common: dict[str, Any],
) -> Judgement:
    """Judge a claim of which runs lack numbers: refuted where one of its other parts is, else open."""
    parts = {
        part.label: undecided(part, missing[part.label], study, _measure(part, study).unit)
        for part in claim.parts
        if part.label in missing
    }
    known = judge_every(inputs, **common) if inputs else None
    judged = {**parts, **(known.parts if known else {})}
    if known is not None and known.verdict == "refuted":
        return replace(known, parts=judged)
    first = next(iter(parts))
    return replace(parts[first], look=common["look"], weakest=first, parts=judged)


def _measure(part: Part, study: Study) -> Measure:
    found = [measure_of(study.design.arm(arm), part.measure, study.kinds) for arm in part.contrast.weights]
    return found[0]


def judge_part(part: Part, study: Study) -> JudgePart:
    """Compute the contrast of a comparison for every seed, and test sample where its measure has such."""
    measure, arms = _measure(part, study), list(part.contrast.weights)
    values = {arm: sampled(study.arms[arm][0].kind.measures[part.measure], study.arms[arm]) for arm in arms}
    d = contrast_values(part.contrast, on_shared_rows(values))
    learned = {arm: np.array(study.learned[arm]) for arm in arms} if measure.learns else None
    given = all(study.is_given(arm) for arm in arms)
    return JudgePart(
        d,
        kind=part.kind,
        delta=part.delta,
        learned=learned,
        unit=measure.unit,
        better=part.better or _direction(measure, part),
        given=given,
    )


def _direction(measure: Measure, part: Part) -> Better:
    """Return which way the contrast is better: a shortfall below a constant is worse where the measure is better higher."""
    if sum(part.contrast.weights.values()) >= 0 or measure.better == "neither":
        return measure.better
    return "lower" if measure.better == "higher" else "higher"


def _flags(claim: Claim, study: Study) -> list[str]:
    """Say what qualifies a claim: arms in which nothing learned, choices at the end of their range, and what kinds say."""
    arms = dict.fromkeys(arm for part in claim.parts for arm in part.contrast.weights)
    learning = {arm for part in claim.parts if _measure(part, study).learns for arm in part.contrast.weights}
    found = [
        f"none of the {len(study.seeds)} runs of {study.design.arm(arm).label} learned; all stayed at chance"
        for arm in arms
        if arm in learning and not any(study.learned[arm])
    ]
    found += edge_flags(claim, study.design, study.bound, study.seeds)
    everywhere = [arm.name for arm in study.design.arms if study.arms[arm.name][0].kind.qualifies_all]
    for arm in dict.fromkeys((*everywhere, *arms)):
        runs = study.arms[arm]
        found += runs[0].kind.flags(study.design.arm(arm).label, runs)
    return found


def _part(part: Part, values: JudgePart | None, found: Judgement, study: Study) -> dict[str, Any]:
    judged = found.parts[part.label] if found.parts else found
    differences: list[float] = []
    if values is not None:
        assert isinstance(values.a, Differences)  # judge_part made it
        differences = values.a.values.tolist()
    return judged.as_record() | {
        "label": part.label,
        "measure": part.measure,
        "unit": _measure(part, study).unit,
        "differences": differences,
        "seeds": list(study.seeds),
    }


def _agrees(claim: Claim, found: Judgement, deviations: tuple[str, ...]) -> bool | None:
    """Say whether the verdict is what the publication's wording predicts; None where nothing can be said."""
    if deviations or claim.published is None or found.verdict == "open":
        return None
    return found.verdict == claim.predicts
