import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.statistics import verdict
from gradlab.types import UserError

numbers = st.floats(-10, 10)
KINDS = ("more", "same", "not less")
REGIONS = {"more": lambda d: d > 0.01, "same": lambda d: abs(d) < 0.01, "not less": lambda d: d > -0.01}


@pytest.mark.parametrize(
    ("low", "high", "more", "same", "not_less"),
    [
        (0.011, 0.02, "supported", "refuted", "supported"),
        (0.01, 0.02, "open", "open", "supported"),  # touching decides nothing
        (-0.02, -0.011, "refuted", "refuted", "refuted"),
        (-0.02, -0.01, "refuted", "open", "open"),
        (-0.002, 0.004, "refuted", "supported", "supported"),  # what the data exclude is never called open
        (0.002, 0.009, "refuted", "supported", "supported"),
        (-0.009, 0.01, "open", "open", "supported"),
        (-0.01, 0.009, "refuted", "open", "open"),
        (-0.009, 0.03, "open", "open", "supported"),
        (-math.inf, math.inf, "open", "open", "open"),
        (0.02, 0.02, "supported", "refuted", "supported"),
    ],
)
def test_verdict_is_about_the_claim_as_it_is_worded(
    low: float, high: float, more: str, same: str, not_less: str
) -> None:
    assert verdict(low, high, 0.01) == verdict(low, high, 0.01, "more") == more
    assert verdict(low, high, 0.01, "same") == same
    assert verdict(low, high, 0.01, "not less") == not_less


@pytest.mark.parametrize("kind", KINDS)
@given(x=st.integers(-30, 30), y=st.integers(-30, 30))
def test_verdict_is_that_of_every_point_of_the_interval(kind: str, x: int, y: int) -> None:
    low, high = min(x, y) / 1000 + 1e-5, max(x, y) / 1000 + 2e-5  # no end on a boundary
    inside = {REGIONS[kind](low + k * (high - low) / 1000) for k in range(1001)}
    expected = {(True,): "supported", (False,): "refuted"}.get(tuple(inside), "open")
    assert verdict(low, high, 0.01, kind) == expected  # type: ignore[arg-type]


@given(numbers, numbers, st.floats(0.001, 5))
def test_not_less_is_the_mirror_of_more_and_same_is_its_own(x: float, y: float, delta: float) -> None:
    low, high = min(x, y), max(x, y)
    mirror = {"supported": "refuted", "refuted": "supported", "open": "open"}
    assert verdict(-high, -low, delta, "not less") == mirror[verdict(low, high, delta, "more")]
    assert verdict(-high, -low, delta, "same") == verdict(low, high, delta, "same")


@pytest.mark.parametrize("delta", [0, -0.01, math.nan, math.inf])
def test_delta_that_is_not_positive_is_refused(delta: float) -> None:
    with pytest.raises(UserError, match="delta must be a positive number"):
        verdict(0, 1, delta)


def test_interval_upside_down_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(UserError, match="low <= high, got low 1 and high 0"):
        verdict(1, 0, 0.1)
    with pytest.raises(UserError, match="kind must be one of 'more', 'same', 'not less', got 'less'"):
        verdict(0, 1, 0.1, "less")  # type: ignore[arg-type]
