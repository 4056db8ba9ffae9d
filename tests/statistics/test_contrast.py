import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gradlab.statistics import (
    Contrast,
    against,
    contrast_values,
    difference,
    difference_of_differences,
    ratio,
    slope,
)
from gradlab.types import UserError

RNG = np.random.default_rng(0)
VALUES = {arm: RNG.random(5) + 0.5 for arm in "abcde"}
PER_SAMPLE = {arm: RNG.integers(0, 2, (4, 30)) for arm in "abcde"}


def test_difference_is_paired_by_seed() -> None:
    np.testing.assert_allclose(contrast_values(difference("a", "b"), VALUES), VALUES["a"] - VALUES["b"])


def test_against_subtracts_the_constant() -> None:
    np.testing.assert_allclose(contrast_values(against("a", 0.1), VALUES), VALUES["a"] - 0.1)
    assert contrast_values(against("a", 0.1), PER_SAMPLE).shape == (4, 30)
    assert contrast_values(against("a", 0.1), {"a": np.ones((4, 1))}).shape == (4, 1)  # one sample stays one


def test_difference_of_differences() -> None:
    expected = (VALUES["a"] - VALUES["b"]) - (VALUES["c"] - VALUES["e"])
    np.testing.assert_allclose(
        contrast_values(difference_of_differences("a", "b", "c", "e"), VALUES), expected
    )


def test_an_arm_named_twice_adds_up() -> None:
    assert difference_of_differences("a", "b", "b", "c").weights == {"a": 1, "b": -2, "c": 1}
    np.testing.assert_array_equal(contrast_values(difference("a", "a"), VALUES), np.zeros(5))


def test_ratio_is_the_natural_log_of_the_ratio() -> None:
    found = contrast_values(ratio("a", "b"), VALUES)
    np.testing.assert_allclose(np.exp(found), VALUES["a"] / VALUES["b"])


def test_slope_is_the_least_squares_slope_of_every_seed() -> None:
    positions = {"a": 2.0, "b": 8.0, "c": 32.0, "d": 64.0}
    found = contrast_values(slope(positions), VALUES)
    for i, one in enumerate(found):
        reference = stats.linregress(list(positions.values()), [VALUES[arm][i] for arm in positions])
        assert one == pytest.approx(reference.slope)


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=6, unique=True), st.floats(-5, 5), st.floats(-5, 5)
)
def test_slope_of_a_line_is_its_slope(x: list[float], steepness: float, height: float) -> None:
    if np.std(x) < 1e-3:
        return
    positions = {f"arm-{i}": one for i, one in enumerate(x)}
    values = {arm: np.full(3, height + steepness * one) for arm, one in positions.items()}
    np.testing.assert_allclose(contrast_values(slope(positions), values), steepness, atol=1e-6)


def test_samples_are_kept() -> None:
    found = contrast_values(difference("a", "b"), PER_SAMPLE)
    np.testing.assert_array_equal(found, PER_SAMPLE["a"] - PER_SAMPLE["b"])


def test_contrast_is_data() -> None:
    made = Contrast(weights={"a": 1.0, "b": -1.0}, constant=0.0, log=False)
    assert made == difference("a", "b")
    with pytest.raises(UserError, match="wieghts"):
        Contrast(weights={}, wieghts={})  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("contrast", "values", "message"),
    [
        (difference("a", "z"), VALUES, r"missing \['z'\]; there are \['a', 'b'"),
        (Contrast({}), VALUES, "missing every arm"),
        (difference("a", "b"), {"a": [1, 2, 3], "b": [1, 2]}, "same shape.*run the missing seeds"),
        (ratio("a", "b"), {"a": [1, 2], "b": [1, 0]}, "positive values, got 0 in 'b'; use a difference"),
        (ratio("a", "b"), PER_SAMPLE, "one value per seed.*average over samples"),
        (
            difference("a", "b"),
            {"a": [1, np.nan], "b": [1, 2]},
            "values of 'a'.*NaN or infinite.*best weights",
        ),
        (difference("a", "b"), {"a": ["x"], "b": [1]}, "must be numbers"),
        (difference("a", "b"), {"a": [], "b": []}, r"got shape \(0,\)"),
    ],
)
def test_bad_values_are_refused_with_what_to_do(contrast: Contrast, values: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        contrast_values(contrast, values)


def test_slope_needs_two_positions() -> None:
    with pytest.raises(UserError, match="two different positions"):
        slope({"a": 1, "b": 1})
