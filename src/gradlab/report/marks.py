"""Small inline graphics in SVG: a verdict's sign, an interval against its zone, dots on a shared axis.

Positions are per cent of the width, so a mark stretches with its container while text and dots keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from gradlab.report.numbers import in_unit, is_number, number, typeset, unit_of
from gradlab.types import UserError, did_you_mean

VERDICTS: dict[str, str] = {
    "supported": '<circle cx="8" cy="8" r="8"/><path d="M4.2 8.3 7 11l4.9-5.6"/>',
    "refuted": '<path class="body" d="M5 0h6l5 5v6l-5 5H5l-5-5V5z"/><path d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6"/>',
    "open": '<path class="body" d="M8-.6 16.6 8 8 16.6-.6 8z"/>'
    '<path d="M6.1 6.4c.1-2.6 4-2.4 3.8 0C9.8 7.7 8 7.7 8 9.2M8 11.6v.2"/>',
}
"""Each verdict has its own shape, so that no one needs the colour."""
KINDS: dict[str, tuple[float, float]] = {
    "more": (1.0, math.inf),
    "same": (-1.0, 1.0),
    "not less": (-1.0, math.inf),
}
"""Kind of claim -> the effects for which it holds, in units of delta."""


def check_verdict(verdict: str) -> str:
    """Return a known verdict.

    Raises:
        UserError: the verdict is not one of the three.
    """
    if verdict not in VERDICTS:
        raise UserError(f"no verdict is called '{verdict}': {did_you_mean(str(verdict), list(VERDICTS))}")
    return verdict


def region(claim: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the effects, or levels, for which a claim holds, in its own unit; None where its delta is not known.

    >>> region({"kind": "not less", "delta": 0.5})
    (-0.5, inf)

    Raises:
        UserError: the kind is not one of the three.
    """
    kind, delta = str(claim.get("kind")), claim.get("delta")
    if kind not in KINDS:
        raise UserError(f"no kind of claim is called '{kind}': {did_you_mean(kind, list(KINDS))}")
    if "against" in claim:
        low, high = claim["against"].holds
        return low, high
    if not is_number(delta):
        return None
    low, high = KINDS[kind]
    return low * delta, high * delta if math.isfinite(high) else high


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
    """Return the axis that claims (or the parts of one) share; it holds where each begins to hold, and 0 of a difference."""
    values: list[Any] = []
    for claim in claims:
        values += [] if "against" in claim else [0.0]
        delta = claim.get("delta")
        values += [claim.get("estimate"), *(claim.get("interval") or ()), *(claim.get("differences") or ())]
        values += [b for b in region(claim) or () if math.isfinite(b)] if is_number(delta) else []
    return axis_over(values)


def part_axis(parts: Sequence[dict[str, Any]], part: dict[str, Any]) -> Axis | None:
    """Return the axis of one part of a claim: that of all parts that are told in the same terms."""

    def terms(one: dict[str, Any]) -> tuple[Any, bool]:
        return one.get("unit"), "against" in one

    return claim_axis(one for one in parts if terms(one) == terms(part))


def interval_mark(
    claim: dict[str, Any], axis: Axis | None, *, ticks: bool = True, seeds: bool = True
) -> Markup:
    """Draw estimate, interval and per-seed differences; shaded is where the claim holds."""
    axis = axis or claim_axis([claim])
    if axis is None or not is_number(claim.get("estimate")):
        return Markup()
    single = [d for d in claim.get("differences") or () if seeds and is_number(d)]
    middle, height = (11 if single else 15), (46 if ticks else 32)
    body = _zone(claim, axis, 1, 29)
    body += "".join(f'<circle class="seed" cx="{axis.at(d)}%" cy="24" r="3"/>' for d in single)
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
    verdict = check_verdict(claim.get("verdict") or "open")
    return Markup(
        f'<svg class="interval {verdict}" width="100%" height="{height}" role="img"'
        f' aria-label="{escape(_words(claim))}">{body}</svg>'
    )


def _zone(claim: dict[str, Any], axis: Axis, top: int, height: int) -> str:
    """Shade where the claim holds, with a line at each end, and mark the 0 of a difference."""
    ends = region(claim)
    body = ""
    if ends is not None:
        left, right = axis.at(ends[0]), axis.at(ends[1])
        body = f'<rect class="zone" x="{left}%" width="{max(right - left, 0.3):.2f}%" y="{top}" height="{height}"/>'
        body += "".join(
            f'<line class="edge" x1="{axis.at(b)}%" x2="{axis.at(b)}%" y1="{top}" y2="{top + height}"/>'
            for b in ends if math.isfinite(b)
        )  # fmt: skip
    if "against" in claim:
        return body
    return f'{body}<line class="zero" x1="{axis.at(0)}%" x2="{axis.at(0)}%" y1="{top}" y2="{top + height}"/>'


def _zone_labels(claim: dict[str, Any], axis: Axis) -> str:
    """Label 0 and the ends of the region; where they lie too close for that, one label says both."""
    if "against" in claim:
        return "".join(_label(axis.at(end), text) for end, text in claim["against"].ends.items())
    ends = [b for b in region(claim) or () if math.isfinite(b)]
    texts = {b: "+δ" if b > 0 else "−δ" for b in ends}
    places = [axis.at(0), *(axis.at(b) for b in ends)]
    if ends and max(places) - min(places) < 12 * len(ends):
        joined = "0 ± δ" if len(ends) == 2 else f"0, {texts[ends[0]]}"
        return _label(axis.at(0), joined)
    return _label(axis.at(0), "0") + "".join(_label(axis.at(b), text) for b, text in texts.items())


def _label(x: float, text: str) -> str:
    anchor = "start" if x < 6 else "end" if x > 94 else "middle"
    return f'<text x="{x}%" y="43" text-anchor="{anchor}">{text}</text>'


def _words(claim: dict[str, Any]) -> str:
    if "against" in claim:
        told = in_unit(claim)
        return f"{told.estimate}, interval {told.interval}, asked: {told.delta}"
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
