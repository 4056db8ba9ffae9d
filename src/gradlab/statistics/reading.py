"""What an interval says in words, whatever the claim is."""

from __future__ import annotations

from typing import Literal, TypeAlias

from gradlab.statistics._words import amount

Better: TypeAlias = Literal["higher", "lower", "neither"]
_WORDS = {
    "higher": (("better", "a gain"), ("worse", "a loss")),
    "lower": (("worse", "a loss"), ("better", "a gain")),
    "neither": (("larger", "an increase"), ("smaller", "a decrease")),
}


def reading(low: float, high: float, delta: float, unit: str = "", better: Better = "higher") -> str:
    """Say in words what the interval [low, high] of a - b shows about a, and what it leaves open.

    Args:
        low: lower end; -inf where unbounded.
        high: upper end; inf where unbounded.
        delta: smallest difference that matters, > 0.
        unit: "fraction" is read in points, "decades" as so-manyfold, others as they are written.
        better: whether a "higher" or a "lower" value of the measure is better; "neither" says larger and smaller.

    >>> reading(-0.002, 0.004, 0.005, "fraction")
    'equal to within half a point'
    >>> reading(0.002, 0.008, 0.01, "fraction")
    'better, by less than a point'
    >>> reading(-0.004, 0.03, 0.01, "fraction")
    'a loss of a point or more is ruled out; no difference or a gain is not'
    """
    size = amount(delta, unit)
    (up, rise), (down, fall) = _WORDS[better]
    if low > delta:
        return f"{up} by more than {size}"
    if high < -delta:
        return f"{down} by more than {size}"
    if low > 0:
        return f"{up}, by less than {size}" if high < delta else f"{up}; whether by more than {size} is open"
    if high < 0:
        return (
            f"{down}, by less than {size}" if low > -delta else f"{down}; whether by more than {size} is open"
        )
    if -delta < low and high < delta:
        return f"equal to within {size}"
    if low > -delta:
        return f"{fall} of {size} or more is ruled out; no difference or {rise} is not"
    if high < delta:
        return f"{rise} of {size} or more is ruled out; no difference or {fall} is not"
    return f"nothing is ruled out, neither {fall} nor {rise} of {size} or more"
