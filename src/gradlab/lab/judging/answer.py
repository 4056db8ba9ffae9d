"""The answer of a study in a few sentences with numbers, from the verdicts of its leading claims."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.claims import Claim
from gradlab.lab.judging.changes import build_signs, how_often
from gradlab.lab.kinds import Measure
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study

FIELD = re.compile(r"\{([^{}]+)\}")
CHOICE = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
Told = tuple[str, Claim, dict[str, Any]]
"""A sentence, the claim that says it, and how it was judged."""
WORDS = {"epochs": "epochs", "nats": "nats", "layers": "layers"}


def answer(study: Study, claims: list[dict[str, Any]]) -> str:
    """Say what the claims found: each that has a sentence for its verdict adds it, with its numbers.

    Claims whose sentences are equal and contain {subjects} share one: "tanh and gelu do as well as relu".
    """
    if not claims:
        return "This study makes no claim; its tables and figures speak for themselves."
    told = dict[str, list[Told]]()
    for claim, judged in zip(study.design.claims, claims, strict=True):
        sentence = claim.says.get(judged["verdict"])
        if sentence is not None:
            shared = sentence if "{subjects}" in sentence else f"{claim.id} {sentence}"
            told.setdefault(shared, []).append((sentence, claim, judged))
    if told:
        return " ".join(_sentence(several, study) for several in told.values())
    first = claims[0]
    return f"{first['statement'].rstrip('.')}: {first['verdict']} ({first['reading']})."


def _sentence(several: Sequence[Told], study: Study) -> str:
    """Fill one sentence for all claims that share it; the first one's numbers stand in it."""
    subjects = [_filled(claim.subject, claim, judged, study) for _, claim, judged in several]
    sentence, claim, judged = several[0]
    sentence = CHOICE.sub(lambda match: match[2 if len(subjects) > 1 else 1], sentence)
    return _filled(sentence.replace("{subjects}", _listed(subjects)), claim, judged, study)


def _listed(words: Sequence[str]) -> str:
    """Join words: "tanh, gelu and relu"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _filled(sentence: str, claim: Claim, judged: dict[str, Any], study: Study) -> str:
    unit = judged["unit"]

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "estimate":
            return signed(judged["estimate"], unit)
        if name == "size":
            return size(judged["estimate"], unit)
        if name == "reading":
            return str(judged["reading"])
        if name == "failed":
            return _failed(judged)
        if name in ("fails", "undecided"):
            return _parts_that_are("refuted" if name == "fails" else "open", judged)
        if name in ("low", "high"):
            return signed(judged["interval"][name == "high"], unit)
        if " > " in name:
            return _how_often(name, claim.parts[0].measure, study)
        if name.startswith("opposite "):
            return _opposite(name.removeprefix("opposite "), study)
        arm, _, measure = (name, "", "") if name in study.arms else name.partition(": ")
        return _level_of(arm, measure or claim.parts[0].measure, study)

    return FIELD.sub(value, sentence)


def _failed(judged: dict[str, Any]) -> str:
    """Name the comparisons that refute a claim of several: "grad-cam − edges (−0.9 points)"."""
    refuted = [part for part in judged["parts"] if part["verdict"] == "refuted"]
    return _listed(
        [
            f"{part['label'].replace(' - ', ' − ')} ({signed(part['estimate'], part['unit'])})"
            for part in refuted
        ]
    )


def _parts_that_are(verdict: str, judged: dict[str, Any]) -> str:
    """Name the comparisons of a claim of several that have this verdict, in their own words."""
    return _listed([part["label"] for part in judged["parts"] if part["verdict"] == verdict])


def _level_of(arm: str, name: str, study: Study) -> str:
    """Say the mean of a measure over an arm's seeds.

    Raises:
        UserError: the study has no such arm, or the arm no such measure.
    """
    measure = _measured(arm, name, study)
    values = [measure.value(run) for run in study.arms[arm]]
    mean = math.fsum(values) / len(values)
    return level(mean, measure.unit) if math.isfinite(mean) else "nothing known"


def _measured(arm: str, name: str, study: Study) -> Measure:
    """Return a measure of an arm.

    Raises:
        UserError: the study has no such arm, or the arm no such measure.
    """
    measure = study.measure_of(arm, name) if arm in study.arms else None
    if measure is None:
        raise UserError(
            f"a sentence of the answer asks for {{{arm}: {name}}}, which this study does not measure; name an arm "
            "and one of its measures."
        )
    return measure


def _how_often(name: str, measure: str, study: Study) -> str:
    """Say how often one arm is above another: "a > b" in the same seed, "a > any b" in any two runs."""
    arm, _, other = name.partition(" > ")
    any_two = other.startswith("any ")
    other = other.removeprefix("any ")
    _measured(other, measure, study)
    return how_often(_measured(arm, measure, study), arm, other, study, any_two=any_two)


def _opposite(name: str, study: Study) -> str:
    """Say how many signs are opposite in a row of a table of signs, "table: row": "34 of 36".

    Raises:
        UserError: the study has no such table, or the table no such row.
    """
    place, _, wanted = name.partition(": ")
    tables = {table.name: table for table in study.design.tables if table.signs}
    rows = {row[0]: row for row in build_signs(tables[place], study)["rows"]} if place in tables else {}
    if wanted not in rows:
        raise UserError(
            f"a sentence of the answer asks for {{opposite {name}}}, which no table of signs of this study has."
        )
    return f"{rows[wanted][1]} of {rows[wanted][2]}"


def level(value: float, unit: str) -> str:
    """Say a value of a measure: "94 %", "99.5 %", "−4.2 %", "12 epochs"."""
    if unit == "fraction":
        percent = 100 * value
        told = f"{percent:.1f} %" if percent > 95 or abs(percent) < 5 else f"{percent:.0f} %"
    elif unit == "decades":
        told = f"10^{value:.0f}"
    else:
        told = f"{value:.3g} {WORDS.get(unit, unit)}".strip()
    return told if value >= 0 else told.replace("-", "−", 1)


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
