"""The one rule that turns an interval and a smallest effect into a verdict."""

from __future__ import annotations

from typing import Literal, TypeAlias

from gradlab.statistics._checks import check_delta
from gradlab.types import UserError

Verdict: TypeAlias = Literal["supported", "refuted", "equivalent", "inconclusive"]


def verdict(low: float, high: float, delta: float) -> Verdict:
    """Judge the interval [low, high] of a difference against the smallest difference that matters.

    supported: low > delta. refuted: high < -delta. equivalent: -delta < low and high < delta.
    inconclusive: anything else. All comparisons are strict: an interval that touches a boundary decides nothing.

    Args:
        low: lower end of the interval; -inf where unbounded.
        high: upper end; inf where unbounded.
        delta: smallest difference that matters, > 0, in the same unit.

    Raises:
        UserError: `delta` is not positive, or `low` lies above `high`.

    >>> verdict(0.02, 0.04, 0.01), verdict(-0.004, 0.006, 0.01), verdict(-0.02, 0.04, 0.01)
    ('supported', 'equivalent', 'inconclusive')
    """
    check_delta(delta)
    if not low <= high:
        raise UserError(f"an interval needs low <= high, got low {low:g} and high {high:g}.")
    if low > delta:
        return "supported"
    if high < -delta:
        return "refuted"
    if -delta < low and high < delta:
        return "equivalent"
    return "inconclusive"
