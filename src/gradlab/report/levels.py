"""Claims about one arm, as they are read: its measure and the bound asked, where the test is of measure minus constant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gradlab.report.marks import region
from gradlab.report.numbers import (
    MISSING,
    NO_INTERVAL,
    InUnit,
    bracket,
    in_unit,
    interval_digits,
    is_number,
    level,
    minus,
    number,
    unit_of,
)

Claim = dict[str, Any]
Contrast = Mapping[str, Any]


class Level(NamedTuple):
    """What is asked of one arm's measure.

    Attributes:
        holds: the values for which the claim holds, from where to where. ends: its finite ends -> in words, "80 %".
        asked: what the claim asks in words, "above 80 %". shown: the measure in words; its delta is what is asked, and in which
            part of a claim of several.
    """

    holds: tuple[float, float]
    ends: dict[float, str]
    asked: str
    shown: InUnit


def as_read(results: Mapping[str, Any]) -> list[Claim]:
    """Return the claims of results as a reader sees them; results stay as they are.

    A comparison of one arm with a constant is tested as d = ±measure + constant against delta. It is read as the measure, with
    its interval and the bound that the test sets it: d > 0.02 with d = AUROC - 0.78 as an AUROC above 80 %.
    """
    designed = {one["id"]: one for one in (results.get("design") or {}).get("claims") or []}
    names = {arm["name"]: arm.get("label") or arm["name"] for arm in results.get("arms") or []}
    return [_claim(one, designed.get(one.get("id")) or {}, names) for one in results.get("claims") or []]


def told(claim: Claim) -> str:
    """Say estimate and interval as `in_unit` does, and of a level what was asked.

    >>> told({"unit": "fraction", "estimate": -0.012, "interval": [-0.02, -0.004], "delta": 0.01})
    '−1.2 points [−2.0, −0.4]'
    """
    shown = in_unit(claim)
    return minus(shown.both + (f", asked: {shown.delta}" if "against" in claim else ""))


def arm_of(contrast: Contrast) -> str | None:
    """Return the one arm that a contrast sets against a constant; None where it compares several, or ratios.

    >>> arm_of({"weights": {"plain": -1.0}, "constant": 0.9}), arm_of({"weights": {"a": 1.0, "b": -1.0}})
    ('plain', None)
    """
    weights = contrast.get("weights") or {}
    single = len(weights) == 1 and not contrast.get("log") and abs(next(iter(weights.values()))) == 1
    return str(next(iter(weights))) if single else None


def _claim(claim: Claim, design: Mapping[str, Any], names: Mapping[str, str]) -> Claim:
    contrasts = {one["label"]: one["contrast"] for one in design.get("parts") or []}
    levels = {label for label, contrast in contrasts.items() if arm_of(contrast)}
    parts = claim.get("parts") or []
    if not levels or not parts:
        return claim
    parts = [at_level(one, contrasts[one["label"]]) if one["label"] in levels else one for one in parts]
    shown = claim.get("weakest") or parts[0]["label"]
    made = at_level(claim, contrasts[shown]) if shown in levels else dict(claim)
    if len(parts) == 1:  # the arm says more than the label of its only comparison
        arm = str(arm_of(contrasts[shown]))
        more = str(claim.get("more_seeds") or "").replace("the difference stays", "the value stays")
        return made | {"parts": [parts[0] | {"label": names.get(arm, arm)}], "more_seeds": more or None}
    called = {one["label"]: _called(one, claim.get("measure")) for one in parts}
    made["parts"] = [one | {"label": called[one["label"]]} for one in parts]
    made["reading"] = _joined(made["verdict"], made["parts"])
    if (found := made.get("against")) is not None:
        asked = found.shown._replace(delta=f"{called[shown]} {found.asked}")
        made["against"] = found._replace(shown=asked)
    if made["explanation"] != claim["explanation"]:
        made["explanation"] = "".join(
            [*claim["explanation"].rpartition(f"{shown}: ")[:2], made["explanation"]]
        )
    for key in ("explanation", "more_seeds"):
        for label, name in called.items():
            made[key] = made[key].replace(label, name) if made.get(key) else None
    return made


def _called(part: Claim, measure: Any) -> str:
    """Name a part; of a level the measure too where another one stands above, and no constant that it is taken from."""
    label = str(part["label"])
    if "against" not in part or (part.get("measure") == measure and " - " not in label):
        return label
    return str(part["measure"]) if " - " in label else f"{label}: {part['measure']}"


def _joined(verdict: str, parts: Sequence[Claim]) -> str:
    """Join the readings of a claim's parts, as its judgement does."""
    if verdict == "supported" and len({one["reading"] for one in parts}) == 1:
        return f"in every part {parts[0]['reading']}"
    return "; ".join(f"{one['label']}: {one['reading']}" for one in parts)


def at_level(one: Claim, contrast: Contrast) -> Claim:
    """Return a claim, or a part of one, in terms of the measure of its contrast's only arm."""
    weight, constant = next(iter(contrast["weights"].values())), contrast.get("constant") or 0.0

    def back(d: Any) -> float | None:
        return (d - constant) / weight if isinstance(d, (int, float)) else None

    def both(ends: Sequence[Any]) -> list[Any]:
        return [back(d) for d in (ends if weight > 0 else ends[::-1])]

    low, high = both(region(one) or (-math.inf, math.inf))
    ends = {end: _value(end, one.get("unit")) for end in (low, high) if math.isfinite(end)}
    made = one | {
        "estimate": back(one.get("estimate")),
        "interval": both(one.get("interval") or (None, None)),
        "differences": [back(d) for d in one.get("differences") or ()],
    }
    words = " and ".join(ends.values())
    asked = f"between {words}" if len(ends) == 2 else f"{'above' if math.isfinite(low) else 'below'} {words}"
    made["against"] = Level((low, high), ends, asked, _shown(made, asked))
    return made | _said(made)


def _value(value: Any, unit: str | None, digits: int | None = None) -> str:
    """Write a value of a measure: "80 %", "12.5 epochs", "10^-3"."""
    if not is_number(value):
        return MISSING
    known = unit_of(unit)
    text = number(float(value) * known.scale, digits)
    if unit == "decades":
        return f"10^{text}"
    return f"{text} {'%' if unit == 'fraction' else known.word}".rstrip()


def _shown(one: Claim, asked: str) -> InUnit:
    """Write the measure and its interval; the unit stands with the estimate."""
    (low, high), unit = one["interval"], one.get("unit")
    digits = interval_digits(low, high, "percent" if unit == "fraction" else unit)
    ends = bracket(low, high, lambda end: _value(end, unit, digits).partition(" ")[0])
    estimate = _value(one["estimate"], unit, digits)
    return InUnit(estimate, NO_INTERVAL if ends == MISSING and estimate != MISSING else ends, asked)


def _said(one: Claim) -> dict[str, str]:
    """Return reading and explanation; where there is no interval, the explanation that says so stays."""
    reading, explanation = str(one.get("reading") or ""), str(one.get("explanation") or "")
    (low, high), found = one["interval"], one["against"]
    if not (is_number(low) and is_number(high)):
        known = f"whether {found.asked} is open" if is_number(one["estimate"]) else reading
        return {"reading": known, "explanation": explanation}
    _, colon, note = reading.partition(": ")
    before = explanation.partition("[")[0].rpartition(": ")[2] or f"The {level(one.get('level'))} interval "
    look = f" (look {one['look']})" if (one.get("look") or 1) != 1 else ""
    subject = f"{before}{found.shown.interval}{look}"
    crossed = " and ".join(text for end, text in found.ends.items() if low <= end <= high)
    if crossed:
        return {
            "reading": f"may lie above or below {crossed}{colon}{note}",
            "explanation": f"{subject} contains {crossed}, so the claim is open.",
        }
    place, concludes = _place(one)
    return {
        "reading": f"{place}{colon}{note}",
        "explanation": f"{subject} lies entirely {place}{concludes}",
    }


def _place(one: Claim) -> tuple[str, str]:
    """Say where an interval lies that crosses no bound, and what follows."""
    (low, high), found = one["interval"], one["against"]
    if found.holds[0] < low and high < found.holds[1]:
        return found.asked, ", as claimed."
    nearest = min(found.ends, key=lambda end: abs(end - low))
    side = "above" if low > nearest else "below"
    return f"{side} {found.ends[nearest]}", ": the claim does not hold."
