"""Small inline graphics in SVG: a verdict's sign, an interval against its zone, dots on a shared axis.

Positions are per cent of the width, so a mark stretches with its container while text and dots keep their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from gradlab.report.numbers import is_number, number, typeset, unit_of
from gradlab.types import UserError, did_you_mean

VERDICTS: dict[str, str] = {
    "supported": '<circle cx="8" cy="8" r="8"/><path d="M4.2 8.3 7 11l4.9-5.6"/>',
    "refuted": '<path class="body" d="M5 0h6l5 5v6l-5 5H5l-5-5V5z"/><path d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6"/>',
    "equivalent": '<rect width="16" height="16" rx="3.5"/><path d="M4.2 6.2h7.6M4.2 9.9h7.6"/>',
    "inconclusive": '<path class="body" d="M8-.6 16.6 8 8 16.6-.6 8z"/>'
    '<path d="M6.1 6.4c.1-2.6 4-2.4 3.8 0C9.8 7.7 8 7.7 8 9.2M8 11.6v.2"/>',
}
"""Each verdict has its own shape, so that no one needs the colour."""


def check_verdict(verdict: str) -> str:
    """Return a known verdict.

    Raises:
        UserError: the verdict is not one of the four.
    """
    if verdict not in VERDICTS:
        raise UserError(f"no verdict is called '{verdict}': {did_you_mean(str(verdict), list(VERDICTS))}")
    return verdict


def sign(verdict: str) -> Markup:
    """Draw a verdict's sign, 16 by 16 pixels."""
    shape = VERDICTS[check_verdict(verdict)]
    return Markup(
        f'<svg class="sign" viewBox="-1 -1 18 18" width="18" height="18" aria-hidden="true">{shape}</svg>'
    )


class Axis(NamedTuple):
    """A shared horizontal axis in the data's unit."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the position of `value` in per cent of the width, inside [0, 100]."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 2)


def axis_over(values: Iterable[Any], pad: float = 0.06) -> Axis | None:
    """Return the axis that holds all numbers of `values` with a margin; None when there are none."""
    known = [float(v) for v in values if is_number(v)]
    if not known:
        return None
    low, high = min(known), max(known)
    margin = (high - low) * pad or abs(high) * pad or 1.0
    return Axis(low - margin, high + margin)


def claim_axis(claims: Iterable[dict[str, Any]]) -> Axis | None:
    """Return the axis that claims (or the parts of one) share; it holds 0 and the zone from -delta to +delta."""
    values: list[Any] = [0.0]
    for claim in claims:
        delta = claim.get("delta")
        values += [claim.get("estimate"), *(claim.get("interval") or ()), *(claim.get("differences") or ())]
        values += [delta, -delta] if is_number(delta) else []
    return axis_over(values)


def interval_mark(claim: dict[str, Any], axis: Axis | None, *, ticks: bool = True) -> Markup:
    """Draw estimate, interval and per-seed differences against the zone from -delta to +delta."""
    axis = axis or claim_axis([claim])
    if axis is None or not is_number(claim.get("estimate")):
        return Markup()
    seeds = [d for d in claim.get("differences") or () if is_number(d)]
    middle, height = (11 if seeds else 15), (46 if ticks else 32)
    body = _zone(claim, axis, 1, 29)
    body += "".join(f'<circle class="seed" cx="{axis.at(d)}%" cy="24" r="3"/>' for d in seeds)
    low, high = claim.get("interval") or (None, None)
    if is_number(low) and is_number(high):
        a, b = axis.at(low), axis.at(high)
        body += f'<line class="bar" x1="{a}%" x2="{b}%" y1="{middle}" y2="{middle}"/>'
        body += "".join(
            f'<line class="bar" x1="{x}%" x2="{x}%" y1="{middle - 5}" y2="{middle + 5}"/>' for x in (a, b)
        )
    body += (
        f'<circle class="estimate" cx="{axis.at(claim["estimate"])}%" cy="{middle}" r="{5 if ticks else 4}"/>'
    )
    body += _zone_labels(claim, axis) if ticks else ""
    verdict = check_verdict(claim.get("verdict", "inconclusive"))
    return Markup(
        f'<svg class="interval {verdict}" width="100%" height="{height}" role="img"'
        f' aria-label="{escape(_words(claim))}">{body}</svg>'
    )


def _zone(claim: dict[str, Any], axis: Axis, top: int, height: int) -> str:
    zero = f'<line class="zero" x1="{axis.at(0)}%" x2="{axis.at(0)}%" y1="{top}" y2="{top + height}"/>'
    delta = claim.get("delta")
    if not is_number(delta):
        return zero
    left, right = axis.at(-delta), axis.at(delta)
    return f'<rect class="zone" x="{left}%" width="{max(right - left, 0.3):.2f}%" y="{top}" height="{height}"/>{zero}'


def _zone_labels(claim: dict[str, Any], axis: Axis) -> str:
    """Label −δ, 0, +δ; where the zone is too thin for three labels, one that says ±δ."""
    delta = claim.get("delta")
    if not is_number(delta):
        return _label(axis.at(0), "0")
    left, right = axis.at(-delta), axis.at(delta)
    if right - left < 24:
        return _label(axis.at(0), "0 ± δ")
    return _label(left, "−δ") + _label(axis.at(0), "0") + _label(right, "+δ")


def _label(x: float, text: str) -> str:
    anchor = "start" if x < 6 else "end" if x > 94 else "middle"
    return f'<text x="{x}%" y="43" text-anchor="{anchor}">{text}</text>'


def _words(claim: dict[str, Any]) -> str:
    unit = unit_of(claim.get("unit"))
    low, high = claim.get("interval") or (None, None)
    shown = [number(v * unit.scale, 2) if is_number(v) else "–" for v in (claim["estimate"], low, high)]
    return f"estimate {shown[0]}, interval {shown[1]} to {shown[2]} {unit.word}".strip()


def dots(values: Sequence[Any] | None, axis: Axis | None, label: str) -> Markup:
    """Draw one dot per seed on the axis that all rows of a table share."""
    known = [v for v in values or () if is_number(v)]
    if axis is None or not known:
        return typeset("–")
    mean = axis.at(sum(known) / len(known))
    circles = "".join(f'<circle cx="{axis.at(v)}%" cy="11" r="3.5"/>' for v in known)
    return Markup(
        f'<svg class="dots" width="100%" height="22" role="img" aria-label="{escape(label)}">'
        f'<line class="rail" x1="0" x2="100%" y1="11" y2="11"/>'
        f'<line class="mean" x1="{mean}%" x2="{mean}%" y1="3" y2="19"/>{circles}</svg>'
    )
