import math

import numpy as np
import pytest
from scipy import optimize, stats

from gradlab.statistics import interval
from gradlab.statistics._samples import Axis, guessed_range, reach

LEVELS = (0.95, 0.96, 0.995)
SKEWED = (Axis("test", 300, 4e-4, (-0.8, 0.8), is_binary=True),)
PREDICTIONS = (np.random.default_rng(3).random((5, 80)) < 0.93).astype(float)


def wilson_with_t(right: int, n: int, level: float) -> tuple[float, float]:
    """Ends p of |share - p| = t sqrt(p (1 - p) / n), by root finding."""
    share, t = right / n, stats.t.ppf(0.5 + level / 2, n - 1)

    def outside(p: float) -> float:
        return float(abs(share - p) - t * math.sqrt(p * (1 - p) / n))

    tiny = 1e-12
    low = 0.0 if right == 0 else optimize.brentq(outside, tiny, share - tiny)
    high = 1.0 if right == n else optimize.brentq(outside, share + tiny, 1 - tiny)
    return low, high


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("right", "n"), [(3, 40), (18, 360), (1, 20), (10, 100)])
def test_one_arm_alone_right_reaches_as_far_up_as_wilson_and_down_as_the_normal(
    right: int, n: int, level: float
) -> None:
    by_sample = np.arange(n) < right
    found = interval(np.tile(by_sample, (4, 1)), level=level)
    normal = stats.ttest_1samp(by_sample.astype(float), 0).confidence_interval(level)
    t = stats.t.ppf(0.5 + level / 2, n - 1)
    # One unseen sample counts in the skewness, and s^2 divides by N - 1: within that of Wilson's bound.
    assert found.high == pytest.approx(wilson_with_t(right, n, level)[1], abs=0.3 * t**2 / n**1.5)
    assert found.high > normal.high
    assert found.low <= normal.low + 1e-12
    if right > 1:  # one unseen sample of b's would not outweigh them
        assert found.low == pytest.approx(normal.low)
    assert found.axes[0].skew[1] == pytest.approx(1 - 2 * right / n, abs=1 / n)


@pytest.mark.parametrize("samples", [5, 100, 360])
def test_identical_predictions_are_wilsons_zero_of_n(samples: int) -> None:
    found = interval(np.zeros((3, samples)))
    unseen = wilson_with_t(0, samples, 0.95)[1]
    assert (found.low, found.high) == pytest.approx((-unseen, unseen))
    assert (1 - unseen) ** samples < 0.025  # at least as far as the rule of three
    assert not found.has_spread
    assert f"only 0 of {samples} test samples differ" in found.flags[0]


def test_one_arm_always_right_and_the_other_never_stays_within_one() -> None:
    found = interval(np.ones((3, 100)))
    assert found.high == 1
    assert found.low == pytest.approx(1 - 2 * wilson_with_t(0, 100, 0.95)[1])  # the unseen may be -1


@pytest.mark.parametrize("constant", [0.9, 0.1, 1 / 3])
@pytest.mark.parametrize("right", [0, 1, 57, 60])
def test_a_constant_shifts_the_interval_of_one_arm(constant: float, right: int) -> None:
    correct = np.tile(np.arange(60) < right, (4, 1)).astype(float)
    found = interval(correct - constant, level=0.98)
    low, high = wilson_with_t(right, 60, 0.98)
    assert found.low + constant <= low + 1e-9
    assert found.high + constant >= high - 1e-9
    if right in (0, 60):
        assert (found.low + constant, found.high + constant) == pytest.approx((low, high), abs=1e-9)


def test_mirrored_correctness_gives_the_mirrored_interval() -> None:
    for d in (PREDICTIONS, PREDICTIONS - 0.9, np.full((3, 40), 0.1)):
        there, back = interval(d), interval(-d)
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_score_bound_only_widens_and_where_skewed() -> None:
    ends = [(-reach(seeds, SKEWED, 6, 0.96, 0), reach(seeds, SKEWED, 6, 0.96, 1)) for seeds in (0.0, 1e-4)]
    for (low, high), seeds in zip(ends, (0.0, 1e-4), strict=True):
        normal = math.hypot(stats.t.ppf(0.98, 5) * math.sqrt(seeds), stats.t.ppf(0.98, 299) * math.sqrt(4e-4))
        assert low == pytest.approx(-normal)
        assert high > normal
        share = stats.t.ppf(0.98, 299) ** 2 / 300
        assert high**2 == pytest.approx(normal**2 + share * (0.8 * high - high**2))
    assert reach(1e-4, (), 6, 0.96, 1) == pytest.approx(stats.t.ppf(0.98, 5) * 0.01)


def test_noise_of_predictions_is_no_skewness() -> None:
    rng = np.random.default_rng(0)
    noise = (rng.random((8, 400)) < 0.02).astype(float) - (rng.random((8, 400)) < 0.02)
    agreeing = np.tile(noise[:1], (8, 1))
    assert max(map(abs, interval(noise).axes[0].skew)) < 0.2
    assert max(interval(agreeing).axes[0].skew) > 0.1
    assert max(interval(np.where(agreeing < 0, 0, agreeing)).axes[0].skew) > 0.9


def test_the_unseen_sample_lies_as_far_out_as_predictions_agree() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(200) < 0.2
    d = (rng.random((4, 200)) < np.where(hard, 0.7, 0.02)).astype(float)
    columns, noise = d.mean(axis=0), d - d.mean(axis=0) - d.mean(axis=1, keepdims=True) + d.mean()
    of_one = np.sum(noise**2) / (3 * 199)
    between = columns.var(ddof=1) - of_one / 4
    reached = between / (between + of_one)  # the intraclass correlation
    centred = columns - d.mean()
    for found, sign, room in zip(
        interval(d).axes[0].skew, (-1, 1), (1 + d.mean(), 1 - d.mean()), strict=True
    ):
        unseen = reached * room
        expected = (sign * np.sum(centred**3) + unseen**3) / (np.sum(centred**2) + unseen**2)
        assert found == pytest.approx(expected)
    assert 0.2 < reached < 0.8


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1], (-1, 1)),
        ([0, 0], (-1, 1)),
        ([-1, 0], (-1, 1)),
        ([-2, 0, 1], (-2, 2)),
        ([0.1, 0.1], (-0.9, 0.1)),
        ([-0.9, -0.9], (-0.9, 0.1)),
        ([-0.9, 0.1], (-0.9, 0.1)),
        ([-1.1, -0.1, 0.9], (-1.1, 0.9)),
        ([1.2, 1.2], (-0.8, 3.2)),
        ([1.2, 2.2], (0.2, 3.2)),
        ([0.0, 0.5], None),
        ([0.1, 0.1 + 1e-6], None),
        ([3.0, 0.0, 9.0], None),
    ],
)
def test_range_that_could_have_come(values: list[float], expected: tuple[float, float] | None) -> None:
    found = guessed_range(np.array([values, values]))
    assert found == (None if expected is None else pytest.approx(expected))


def test_skewed_losses_reach_further_towards_their_tail() -> None:
    losses = np.random.default_rng(0).exponential(size=50)
    found = interval(np.tile(losses, (4, 1)))
    reference = stats.ttest_1samp(losses, 0).confidence_interval(0.95)
    centred = losses - losses.mean()
    g = np.sum(centred**3) / np.sum(centred**2)
    assert found.axes[0].skew == pytest.approx((-g, g))
    assert found.low == pytest.approx(reference.low)
    b, w = reference.high - losses.mean(), stats.t.ppf(0.975, 49) ** 2 / 50
    assert found.high - losses.mean() == pytest.approx((w * g + math.sqrt((w * g) ** 2 + 4 * b**2)) / 2)
    assert found.high > reference.high
    mirrored = interval(np.tile(-losses, (4, 1)))
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def missed(n: int, share: float, level: float, constant: float = 0.0) -> float:
    """Exact probability that the truth lies outside, where every seed is right on the same images."""
    total = 0.0
    for right in range(n + 1):
        d = np.tile(np.arange(n) < right, (3, 1)) - constant
        found = interval(d, level=level)
        if not found.low - 1e-12 <= share - constant <= found.high + 1e-12:
            total += float(stats.binom.pmf(right, n, share))
    return total


@pytest.mark.parametrize(
    ("n", "share", "level", "constant"),
    [
        (360, 0.05, 0.995, 0.0),
        (100, 0.10, 0.995, 0.0),
        (20, 0.91, 0.98, 0.9),
        (50, 0.91, 0.98, 0.9),
        (100, 0.91, 0.98, 0.9),
    ],
)
def test_skewed_correctness_is_missed_no_more_often_than_the_level_allows(
    n: int, share: float, level: float, constant: float
) -> None:
    assert missed(n, share, level, constant) <= 1 - level


@pytest.mark.parametrize(("differing", "flagged"), [(4, True), (5, False)])
def test_four_differing_images_are_told_and_five_are_not(differing: int, flagged: bool) -> None:
    d = np.zeros((3, 360))
    d[0, :differing] = 1
    assert any("test samples differ" in flag for flag in interval(d).flags) is flagged
    assert any("test samples differ" in flag for flag in interval(d - 0.9).flags) is flagged
    assert any("test samples differ" in flag for flag in interval(1 - d).flags) is flagged
