import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.statistics import verdict
from gradlab.types import UserError

numbers = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.011, 0.02, "supported"),
        (0.01, 0.02, "inconclusive"),  # touching is not beyond
        (-0.02, -0.011, "refuted"),
        (-0.02, -0.01, "inconclusive"),
        (-0.009, 0.009, "equivalent"),
        (-0.01, 0.009, "inconclusive"),
        (-0.009, 0.01, "inconclusive"),
        (0.002, 0.009, "equivalent"),  # different from zero, yet too small to matter
        (-math.inf, math.inf, "inconclusive"),
        (0.02, 0.02, "supported"),
    ],
)
def test_verdict_follows_the_rule_with_strict_boundaries(low: float, high: float, expected: str) -> None:
    assert verdict(low, high, 0.01) == expected


@given(numbers, numbers, st.floats(0.001, 5))
def test_mirrored_interval_gets_the_mirrored_verdict(x: float, y: float, delta: float) -> None:
    low, high = min(x, y), max(x, y)
    mirror = {"supported": "refuted", "refuted": "supported"}
    there = verdict(low, high, delta)
    assert verdict(-high, -low, delta) == mirror.get(there, there)


@given(numbers, numbers, st.floats(0.001, 5))
def test_at_most_one_verdict_can_hold(x: float, y: float, delta: float) -> None:
    low, high = min(x, y), max(x, y)
    held = [low > delta, high < -delta, -delta < low and high < delta]
    assert sum(held) <= 1
    assert (verdict(low, high, delta) == "inconclusive") is not any(held)


@pytest.mark.parametrize("delta", [0, -0.01, math.nan, math.inf])
def test_delta_that_is_not_positive_is_refused(delta: float) -> None:
    with pytest.raises(UserError, match="delta must be a positive number"):
        verdict(0, 1, delta)


def test_interval_upside_down_is_refused() -> None:
    with pytest.raises(UserError, match="low <= high, got low 1 and high 0"):
        verdict(1, 0, 0.1)
