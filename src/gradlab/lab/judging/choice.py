"""What tuning chooses: in every seed the one of several procedures that is best on validation data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.design import Arm, Design, name_of
from gradlab.lab.designing.procedure import Pick
from gradlab.lab.judging.results import Results
from gradlab.lab.records.binding import Bound


def choice_of(pick: Pick, among: Sequence[Results]) -> int:
    """Return the position of the best of the candidates at one seed; of equal ones the first."""
    measure = among[0].kind.measures[pick.by]
    sign = -1.0 if measure.better == "higher" else 1.0
    values = [measure.value(one) for one in among]
    return min(range(len(values)), key=lambda place: _worst_last(sign * values[place]))


def _worst_last(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def choices(
    arm: Arm, design: Design, bound: Mapping[tuple[str, int], Bound], seeds: Sequence[int]
) -> list[str]:
    """Return the label of what an arm's choice took at every seed: that of the arm which it is, where there is one."""
    labels = {name_of(one.procedure): one.label for one in design.arms if not one.is_pick}
    taken = [name_of(bound[arm.name, seed].procedure) for seed in seeds]
    return [labels.get(name, name) for name in taken]


def edge_flags(
    claim: Claim, design: Design, bound: Mapping[tuple[str, int], Bound], seeds: Sequence[int]
) -> list[str]:
    """Say where a choice that a claim speaks of fell on the first or last of what there was: a wider range may be better."""
    compared = {arm for part in claim.parts for arm in part.contrast.weights}
    found = []
    for arm in design.arms:
        if not arm.is_pick or arm.name not in compared or len(arm.procedure.among) < 3:
            continue
        ends = {name_of(arm.procedure.among[place]) for place in (0, -1)}
        edge = sum(name_of(bound[arm.name, seed].procedure) in ends for seed in seeds)
        if edge:
            found.append(
                f"{edge} of {len(seeds)} seeds of {arm.label} took the first or last of what they could try"
            )
    return found


def tell(made: Sequence[str], among: Sequence[str]) -> str:
    """Say what was chosen, without the words that all have in common, such as "0.001 (4 of 6), 0.003 (2 of 6)".

    Args:
        made: label of every seed's choice. among: labels of all that there was.
    """
    counts = Counter(made)
    first, last = (of(list(among)) for of in (min, max))  # all have what these two share
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    shared = first[:same].rfind(" ") + 1
    return ", ".join(f"{label[shared:]} ({count} of {len(made)})" for label, count in counts.most_common())


def labels_among(arm: Arm, design: Design) -> list[str]:
    """Return the labels of all that an arm chooses among."""
    labels: dict[str, Any] = {name_of(one.procedure): one.label for one in design.arms if not one.is_pick}
    return [labels.get(name_of(one), name_of(one)) for one in arm.procedure.among]
