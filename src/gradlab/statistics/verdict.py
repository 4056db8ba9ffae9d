"""The one rule that turns an interval and a claim's region into a verdict."""

from __future__ import annotations

from typing import Literal, TypeAlias

from gradlab.statistics._checks import check_delta
from gradlab.types import UserError

Kind: TypeAlias = Literal["more", "same", "not less"]
Verdict: TypeAlias = Literal["supported", "refuted", "open"]
KINDS: tuple[Kind, ...] = ("more", "same", "not less")


def boundaries(delta: float, kind: Kind) -> tuple[float, ...]:
    """Return the ends of the region that the claim names: (delta,), (-delta, delta) or (-delta,)."""
    return {"more": (delta,), "same": (-delta, delta), "not less": (-delta,)}[kind]


def is_inside(value: float, delta: float, kind: Kind) -> bool:
    """Say whether a true difference of this size lies in the region of the claim: the claim is true of it."""
    return {"more": value > delta, "same": abs(value) < delta, "not less": value > -delta}[kind]


def verdict(low: float, high: float, delta: float, kind: Kind = "more") -> Verdict:
    """Judge the interval [low, high] of a difference d against the region that the claim names.

    The regions: "more" is d > delta, "same" is -delta < d < delta, "not less" is d > -delta. supported: the whole
    interval lies inside the region. refuted: it lies entirely outside. open: it crosses a boundary. All comparisons
    are strict: an interval that touches a boundary decides nothing.

    Args:
        low: lower end of the interval; -inf where unbounded.
        high: upper end; inf where unbounded.
        delta: smallest difference that matters, > 0, in the same unit.
        kind: what the claim says.

    Raises:
        UserError: `delta` is not positive, `low` lies above `high`, or a kind that there is not.

    >>> verdict(0.02, 0.04, 0.01), verdict(-0.002, 0.004, 0.01), verdict(-0.02, 0.04, 0.01)
    ('supported', 'refuted', 'open')
    >>> verdict(-0.002, 0.004, 0.01, "same"), verdict(-0.002, 0.04, 0.01, "not less")
    ('supported', 'supported')
    """
    check_delta(delta)
    if kind not in KINDS:
        raise UserError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}.")
    if not low <= high:
        raise UserError(f"an interval needs low <= high, got low {low:g} and high {high:g}.")
    first, last = {"more": (delta, None), "same": (-delta, delta), "not less": (-delta, None)}[kind]
    if low > first and (last is None or high < last):
        return "supported"
    if high < first or (last is not None and low > last):
        return "refuted"
    return "open"
