"""The answer of a study in a few sentences with numbers, from the verdicts of its leading claims."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.claims import Claim

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study

FIELD = re.compile(r"\{([^{}]+)\}")
WORDS = {"epochs": "epochs", "nats": "nats", "layers": "layers"}


def answer(study: Study, claims: list[dict[str, Any]]) -> str:
    """Say what the claims found: each that has a sentence for its verdict adds it, with its numbers."""
    if not claims:
        return "This study makes no claim; its tables and figures speak for themselves."
    told = [
        _filled(claim.says[judged["verdict"]], claim, judged, study)
        for claim, judged in zip(study.design.claims, claims, strict=True)
        if judged["verdict"] in claim.says
    ]
    if told:
        return " ".join(told)
    first = claims[0]
    return f"{first['statement'].rstrip('.')}: {first['verdict']} ({first['reading']})."


def _filled(sentence: str, claim: Claim, judged: dict[str, Any], study: Study) -> str:
    unit = judged["unit"]

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "estimate":
            return signed(judged["estimate"], unit)
        if name == "size":
            return size(judged["estimate"], unit)
        if name in ("low", "high"):
            return signed(judged["interval"][name == "high"], unit)
        return level(_mean(name, claim, study), unit)

    return FIELD.sub(value, sentence)


def _mean(arm: str, claim: Claim, study: Study) -> float:
    name = next(part.measure for part in claim.parts if arm in part.contrast.weights)
    measure = study.arms[arm][0].kind.measures[name]
    values = [measure.value(run) for run in study.arms[arm]]
    return math.fsum(values) / len(values)


def level(value: float, unit: str) -> str:
    """Say a value of a measure: "94 %", "99.5 %", "12 epochs"."""
    if unit == "fraction":
        percent = 100 * value
        return f"{percent:.1f} %" if percent > 97 or percent < 3 else f"{percent:.0f} %"
    if unit == "decades":
        return f"10^{value:.0f}"
    return f"{value:.3g} {WORDS.get(unit, unit)}".strip()


def signed(value: float | None, unit: str) -> str:
    """Say a difference with its sign: "+2.3 points"."""
    if value is None:
        return "nothing known"
    return ("−" if value < 0 else "+") + size(value, unit)


def size(value: float, unit: str) -> str:
    """Say how large a difference is: "2.3 points", "a factor of 10^4.2"."""
    if unit == "fraction":
        points = abs(100 * value)
        return f"{points:.0f} points" if points >= 10 else f"{points:.1f} points"
    if unit == "decades":
        return f"a factor of 10^{abs(value):.1f}"
    return f"{abs(value):.2g} {WORDS.get(unit, unit)}".strip()
