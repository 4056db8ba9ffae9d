"""The one sentence of a verdict: what its interval excludes."""

from __future__ import annotations

from gradlab.statistics._words import interval_text, percent, with_unit
from gradlab.statistics.interval import Interval
from gradlab.statistics.verdict import Verdict


def decided(interval: Interval, verdict: Verdict, delta: float, unit: str, look: int) -> str:
    """Return the sentence of a verdict that the interval decided."""
    if not interval.is_bounded:
        return f"{_only(interval)} gives no interval, so nothing is excluded."
    size = with_unit(delta, unit)
    sentences = {
        "supported": f"lies above {size}: a difference of {size} or less is excluded.",
        "refuted": f"lies below -{size}: a difference of -{size} or more is excluded.",
        "equivalent": f"lies within ±{size}: a difference of {size} or more, either way, is excluded.",
        "inconclusive": f"leaves it open: {_excluded(interval, delta, size)}.",
    }
    return f"{_subject(interval, look, unit)} {sentences[verdict]}"


def withheld(
    interval: Interval, by_rule: Verdict, p_value: float, unit: str, look: int, *, two_groups: bool
) -> str:
    """Return the sentence where the interval alone would decide but cannot be trusted."""
    if interval.given:
        return (
            f"{_subject(interval, look, unit)} alone would say {by_rule}, but all test samples are equal: "
            "nothing tells how others would differ."
        )
    reason = "runs fall in two groups" if two_groups else "all differences are equal"
    return (
        f"{_subject(interval, look, unit)} alone would say {by_rule}, but {reason} and the exact sign-flip does not "
        f"agree (p = {p_value:.2g}, needed {1 - interval.level:.2g})."
    )


def _subject(interval: Interval, look: int, unit: str) -> str:
    at_look = "" if look == 1 else f" (look {look})"
    the = "For this network, the" if interval.given else "The"
    return f"{the} {percent(interval.level)} interval {interval_text(interval.low, interval.high, unit)}{at_look}"


def _only(interval: Interval) -> str:
    if interval.given and not interval.axes:
        return "A given network without test samples"
    return "One seed" if interval.n == 1 and not interval.given else "One test sample"


def _excluded(interval: Interval, delta: float, size: str) -> str:
    excluded = []
    if interval.low > 0:
        excluded.append("a difference of 0 or less")
    elif interval.low > -delta:
        excluded.append(f"a difference of -{size} or less")
    if interval.high < 0:
        excluded.append("a difference of 0 or more")
    elif interval.high < delta:
        excluded.append(f"a difference of {size} or more")
    if not excluded:
        return "no difference of interest is excluded"
    return f"{' and '.join(excluded)} is excluded, the rest is not"
