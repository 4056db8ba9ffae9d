"""Arms on different rows of the same samples: paired on those that they share, and values and variances kept."""

import numpy as np
import pytest

from gradlab.statistics import (
    SampleAxis,
    Sampled,
    contrast_values,
    correctness,
    difference,
    interval,
    on_shared_rows,
)


def arm(values, rows=None, whole="pictures/test"):
    values = np.asarray(values, float)
    return correctness(
        values, SampleAxis(f"{whole}/{rows}", whole, None if rows is None else np.asarray(rows))
    )


def of_both(first, second):
    return interval(
        contrast_values(difference("a", "b"), on_shared_rows({"a": first, "b": second})), given=True
    )


def test_part_of_the_rows_keeps_value_and_variance():
    draws = np.random.default_rng(0).integers(0, 2, (3, 40))
    part = arm(draws[:, ::2], np.arange(0, 40, 2))
    wide = on_shared_rows({"a": arm(draws), "b": part})["b"]
    (values,) = wide.axes.values()
    assert values.shape == (3, 40)
    np.testing.assert_allclose(values.mean(axis=1), part.values)
    np.testing.assert_allclose(((values - part.values[:, None]) ** 2).sum(axis=1) / 40**2, (
        (draws[:, ::2] - part.values[:, None]) ** 2).sum(axis=1) / 20**2)  # fmt: skip
    assert not wide.binary


def test_rows_in_another_order_are_the_same_rows():
    draws, order = np.random.default_rng(1).integers(0, 2, (4, 30)), np.random.default_rng(2).permutation(30)
    again, straight = of_both(arm(draws), arm(draws[:, order], order)), of_both(arm(draws), arm(draws))
    assert again.estimate == 0
    assert (again.low, again.high) == (straight.low, straight.high)


@pytest.mark.parametrize("rows", [np.arange(30, 60), np.r_[0, 0, np.arange(28)]], ids=["apart", "twice"])
def test_what_shares_nothing_or_has_a_row_twice_stays(rows):
    draws = np.random.default_rng(3).integers(0, 2, (4, 30))
    arms = {"a": arm(draws, np.arange(30)), "b": arm(draws, rows)}
    assert on_shared_rows(arms) == arms


def test_axes_of_other_samples_and_plain_names_stay():
    draws = np.random.default_rng(4).integers(0, 2, (2, 20))
    arms = {
        "a": arm(draws),
        "b": arm(draws[:, :9], np.arange(9), "texts"),
        "c": Sampled(draws.mean(1), {"d": draws}),
    }
    assert on_shared_rows(arms) == arms


@pytest.mark.slow
def test_the_variance_is_that_of_repeated_draws():
    """One network, a second one right mostly where it is, asked about three in four of the images: 1,500 test sets."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(1500):
        first = generator.random(200) < 0.6
        second = np.where(generator.random(200) < 0.8, first, generator.random(200) < 0.6)
        rows = np.flatnonzero(generator.random(200) < 0.75)
        both = of_both(arm(first[None]), arm(second[None, rows], rows))
        found.append((both.estimate, both.sample_variance, both.low <= 0 <= both.high))
    estimate, variance, covers = np.array(found).T
    assert estimate.var() == pytest.approx(variance.mean(), rel=0.1)
    assert 0.93 < covers.mean() < 0.97
    apart = 2 * 0.6 * 0.4 / 175
    assert variance.mean() < 0.6 * apart
