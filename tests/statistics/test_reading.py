import math

import pytest

from gradlab.statistics import reading
from gradlab.statistics._words import amount


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.011, 0.02, "better by more than a point"),
        (-0.02, -0.011, "worse by more than a point"),
        (0.002, 0.009, "better, by less than a point"),
        (-0.009, -0.002, "worse, by less than a point"),
        (0.002, 0.02, "better; whether by more than a point is open"),
        (-0.02, -0.002, "worse; whether by more than a point is open"),
        (-0.002, 0.004, "equal to within a point"),
        (-0.002, 0.02, "a loss of a point or more is ruled out; no difference or a gain is not"),
        (-0.02, 0.002, "a gain of a point or more is ruled out; no difference or a loss is not"),
        (-0.02, 0.02, "nothing is ruled out, neither a loss nor a gain of a point or more"),
        (-math.inf, math.inf, "nothing is ruled out, neither a loss nor a gain of a point or more"),
    ],
)
def test_reading_says_what_the_interval_shows(low: float, high: float, expected: str) -> None:
    assert reading(low, high, 0.01, "fraction") == expected


def test_of_a_measure_that_is_better_low_the_words_change_sides() -> None:
    assert reading(0.02, 0.03, 0.01, "nats", "lower") == "worse by more than 0.01 nats"
    assert reading(-0.005, 0.03, 0.01, "nats", "lower").startswith("a gain of 0.01 nats or more is ruled out")
    assert reading(1.1, 1.9, 1, "decades", "neither") == "larger by more than tenfold"
    assert reading(-1.1, 0.5, 1, "decades", "neither").startswith(
        "an increase of tenfold or more is ruled out"
    )


@pytest.mark.parametrize(
    ("delta", "unit", "expected"),
    [
        (0.005, "fraction", "half a point"),
        (0.01, "fraction", "a point"),
        (0.025, "fraction", "2.5 points"),
        (1, "decades", "tenfold"),
        (2, "decades", "a hundredfold"),
        (math.log10(3), "decades", "3-fold"),
        (1, "epochs", "1 epoch"),
        (5, "epochs", "5 epochs"),
        (0.05, "nats", "0.05 nats"),
    ],
)
def test_sizes_are_said_as_people_say_them(delta: float, unit: str, expected: str) -> None:
    assert amount(delta, unit) == expected
