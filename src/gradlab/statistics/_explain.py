"""The one sentence of a verdict: where its interval lies."""

from __future__ import annotations

from gradlab.statistics._words import interval_text, percent, with_unit
from gradlab.statistics.interval import Interval
from gradlab.statistics.verdict import Kind, Verdict, boundaries


def explained(interval: Interval, verdict: Verdict, delta: float, kind: Kind, unit: str, look: int) -> str:
    """Return the sentence of a verdict: the interval, and how it lies to the region that the claim names."""
    if not interval.is_bounded:
        return f"{_why_unbounded(interval)}, so nothing is excluded."
    subject = _subject(interval, look, unit)
    ends = [with_unit(end, unit) for end in boundaries(delta, kind)]
    if verdict == "open":
        inside = [
            with_unit(end, unit) for end in boundaries(delta, kind) if interval.low <= end <= interval.high
        ]
        return f"{subject} contains {' and '.join(inside)}, so the claim is open."
    if verdict == "supported":
        where = f"between {ends[0]} and {ends[1]}" if kind == "same" else f"above {ends[0]}"
        return f"{subject} lies entirely {where}, as claimed."
    where = f"above {ends[-1]}" if kind == "same" and interval.low > delta else f"below {ends[0]}"
    return f"{subject} lies entirely {where}: the claim does not hold."


def _subject(interval: Interval, look: int, unit: str) -> str:
    at_look = "" if look == 1 else f" (look {look})"
    the = "For this network, the" if interval.given else "The"
    of = " for runs in two groups" if interval.rule == "two groups" else ""
    ends = interval_text(interval.low, interval.high, unit)
    return f"{the} {percent(interval.level)} interval{of} {ends}{at_look}"


def _why_unbounded(interval: Interval) -> str:
    if interval.rule == "none":
        return "Runs fall in two groups, and the measure's range or the spread of the other arms is not known"
    if interval.given and not interval.axes:
        return "A given network without test samples gives no interval"
    if interval.n == 1 and not interval.given:
        return "One seed gives no interval"
    if not interval.has_spread:
        return "All differences are equal and say nothing about how others would vary"
    return "One test sample gives no interval"
