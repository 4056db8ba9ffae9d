import math

import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import Part as JudgePart
from gradlab.statistics import Sampled, against, contrast_values, correctness, interval, judge, judge_every
from tests.statistics.formulas import skewed_ends

DRAWS = np.random.default_rng(0).exponential(size=(3, 50))


def test_a_given_network_has_the_students_interval_of_its_averaged_samples() -> None:
    found = interval(DRAWS, level=0.96, given=True)
    half = stats.t.ppf(0.98, 49) * stats.sem(DRAWS.mean(axis=0))
    below, above = skewed_ends([DRAWS.mean(axis=0)], half**2, 0.96)
    assert (found.low, found.high) == pytest.approx((found.estimate - below, found.estimate + above))
    assert below == pytest.approx(half)  # exponential: the tail lies above
    assert above > half
    assert (found.seed_variance, found.degrees_of_freedom, found.n) == (0, 0, 3)
    assert found.seed_share == 0


def test_one_draw_is_enough_and_without_samples_nothing_is_bounded() -> None:
    assert interval(DRAWS[:1], given=True).is_bounded
    none = judge([0.9, 0.91], delta=0.01, given=True)
    assert (none.low, none.high) == (-math.inf, math.inf)
    assert (
        none.explanation == "A given network without test samples gives no interval, so nothing is excluded."
    )
    assert none.verdict == "open"


def test_two_axes_of_a_given_network_add_up() -> None:
    other = np.random.default_rng(1).exponential(size=(3, 30))
    values = DRAWS.mean(axis=1)
    arm = Sampled(values, {"in": DRAWS, "out": other - other.mean(axis=1, keepdims=True) + values[:, None]})
    found = interval(arm, given=True)
    terms = [
        (stats.t.ppf(0.975, axis.shape[1] - 1) * stats.sem(axis.mean(axis=0))) ** 2 for axis in (DRAWS, other)
    ]
    assert found.estimate - found.low == pytest.approx(math.sqrt(sum(terms)))


def test_correctness_of_a_given_network_is_wilsons() -> None:
    correct = correctness(np.ones((1, 60)))
    found = judge(contrast_values(against("net", 0.5), {"net": correct}), delta=0.1, given=True)
    assert found.verdict == "supported"  # all sixty right: the score bound decides, no seed is asked for
    t = stats.t.ppf(0.98, 59)
    assert found.low + 0.5 == pytest.approx(1 - t**2 / 60 / (1 + t**2 / 60))
    assert found.explanation.startswith("For this network, the 96 % interval")


def test_no_sign_flip_and_no_seed_is_asked_of_a_given_network() -> None:
    found = judge(DRAWS - 0.95, delta=0.1, given=True)
    assert math.isnan(found.sign_flip)
    record = found.as_record()
    assert record["sign_flip"] is None
    assert record["given"] is True
    assert "sign-flip" not in str(found)
    assert "one given network, 3 draws, 50 test samples" in str(found)
    assert found.flags == ()
    assert found.more_seeds is not None
    assert "more test samples would" in found.more_seeds.text


def test_equal_samples_that_are_no_correctness_stay_open() -> None:
    flat = Sampled(np.ones(1), {"x": np.ones((1, 20))})
    found = judge(flat, delta=0.1, given=True)
    assert found.verdict == "open"
    assert found.reading.startswith("nothing is ruled out")
    assert "show no spread" in found.flags[0]


def test_runs_in_two_groups_do_not_concern_a_given_network() -> None:
    flags = {"net": [True, False, True]}
    found = judge(DRAWS, delta=0.05, given=True, learned=flags)
    assert found.verdict == judge(DRAWS, delta=0.05, given=True).verdict == "supported"
    every = judge_every(
        {"a": JudgePart(DRAWS, delta=0.05, given=True), "b": JudgePart(DRAWS, delta=0.1, given=True)}
    )
    assert every.verdict == "supported"
    assert "for this network" in every.explanation.lower()
