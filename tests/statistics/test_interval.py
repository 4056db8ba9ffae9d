import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from gradlab.statistics import Sampled, contrast_values, difference, interval
from gradlab.types import UserError
from tests.statistics.formulas import skewed_ends

LEVELS = (0.95, 0.96, 0.995)
seed_values = arrays(np.float64, st.integers(2, 12), elements=st.floats(-5, 5, width=32))


def crossed(n: int = 5, samples: int = 40, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    effects = 0.3 * rng.normal(size=(n, 1)) + rng.normal(size=(1, samples))
    return np.asarray(effects + 0.5 * rng.normal(size=(n, samples)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [2, 3, 6, 20])
def test_without_samples_it_is_students_interval(n: int, level: float) -> None:
    d = np.random.default_rng(n).normal(1, 2, n)
    reference = stats.ttest_1samp(d, 0).confidence_interval(level)
    found = interval(d, level=level)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert found.estimate == pytest.approx(d.mean())
    assert found.degrees_of_freedom == n - 1
    assert found.seed_variance == pytest.approx(stats.sem(d) ** 2)
    assert found.sample_variance == 0
    assert found.samples is None


def analysis_of_variance(d: np.ndarray) -> tuple[float, float, float]:
    """Variance components of seeds, samples and interaction, from sums of squares by plain loops."""
    n, samples = d.shape
    grand = sum(d[i, j] for i in range(n) for j in range(samples)) / (n * samples)
    rows = [sum(d[i]) / samples for i in range(n)]
    columns = [sum(d[:, j]) / n for j in range(samples)]
    ms_rows = samples * sum((r - grand) ** 2 for r in rows) / (n - 1)
    ms_columns = n * sum((c - grand) ** 2 for c in columns) / (samples - 1)
    rest = sum((d[i, j] - rows[i] - columns[j] + grand) ** 2 for i in range(n) for j in range(samples))
    ms_rest = rest / ((n - 1) * (samples - 1))
    return (ms_rows - ms_rest) / samples, (ms_columns - ms_rest) / n, ms_rest


@pytest.mark.parametrize("seed", range(4))
def test_both_parts_are_those_of_the_analysis_of_variance(seed: int) -> None:
    d = crossed(seed=seed)
    n, samples = d.shape
    by_seed, by_sample, noise = analysis_of_variance(d)
    found = interval(d, level=0.96)
    assert found.seed_variance == pytest.approx(by_seed / n + noise / (n * samples))
    assert found.sample_variance == pytest.approx(max(0, by_sample / samples))
    upper = 0.98
    half = math.hypot(
        stats.t.ppf(upper, n - 1) * math.sqrt(found.seed_variance),
        stats.t.ppf(upper, samples - 1) * math.sqrt(found.sample_variance),
    )
    below, above = skewed_ends([d.mean(axis=0)], half**2, 0.96)
    assert found.high - found.estimate == pytest.approx(above)
    assert found.estimate - found.low == pytest.approx(below)
    assert max(below, above) > half == min(below, above)
    assert found.seed_share == pytest.approx(
        found.seed_variance / (found.seed_variance + found.sample_variance)
    )


def test_sample_variance_widens_the_interval() -> None:
    d = crossed()
    seeds_alone, both = interval(d.mean(axis=1)), interval(d)
    assert both.high - both.low > 1.2 * (seeds_alone.high - seeds_alone.low)


def test_seeds_that_do_not_matter_leave_students_interval_of_the_samples() -> None:
    by_sample = np.random.default_rng(1).normal(0.2, 1, 50)
    found = interval(np.tile(by_sample, (4, 1)))
    half = stats.t.ppf(0.975, 49) * stats.sem(by_sample)
    below, above = skewed_ends([by_sample], half**2, 0.95)
    assert (found.low, found.high) == pytest.approx((found.estimate - below, found.estimate + above))
    assert found.seed_share == 0


def test_samples_that_do_not_matter_leave_students_interval_of_the_seeds() -> None:
    by_seed = np.random.default_rng(1).normal(0.2, 1, 6)
    found = interval(np.tile(by_seed[:, None], (1, 50)))
    reference = stats.ttest_1samp(by_seed, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert found.seed_share == pytest.approx(1)


@given(seed_values, st.floats(-10, 10, width=32), st.sampled_from([0.25, 2.0, 8.0]))
def test_shift_and_scale_carry_over(d: np.ndarray, shift: float, scale: float) -> None:
    if np.ptp(d) < 1e-3:
        return
    before, after = interval(d), interval(scale * d + shift)
    assert after.low == pytest.approx(scale * before.low + shift, abs=1e-6)
    assert after.high == pytest.approx(scale * before.high + shift, abs=1e-6)


@given(seed_values)
def test_mirrored_data_give_the_mirrored_interval(d: np.ndarray) -> None:
    there, back = interval(d), interval(-d)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_order_of_seeds_and_samples_does_not_matter() -> None:
    d = crossed()
    shuffled = d[::-1, np.random.default_rng(2).permutation(d.shape[1])]
    assert (interval(d).low, interval(d).high) == pytest.approx(
        (interval(shuffled).low, interval(shuffled).high)
    )


def test_higher_level_is_wider() -> None:
    widths = [
        interval(crossed(), level=level).high - interval(crossed(), level=level).low for level in LEVELS
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


@pytest.mark.parametrize("d", [[0.3], [[0.0, 1.0, 1.0]]])
def test_one_seed_bounds_nothing(d: list) -> None:  # type: ignore[type-arg]
    found = interval(d)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert not found.is_bounded
    assert found.seed_share is None
    assert "one seed" in found.flags[0]


def test_equal_differences_are_a_flagged_point_also_under_rounding() -> None:
    found = interval(np.array([0.94, 0.95, 0.97]) - np.array([0.88, 0.89, 0.91]))
    assert found.low == found.high == pytest.approx(0.06)
    assert not found.has_spread
    assert "all 3 differences are equal" in found.flags[0]


def test_equal_means_of_different_predictions_keep_the_noise_of_predictions() -> None:
    d = np.zeros((2, 360))
    d[0, :10] = d[1, 10:20] = 1  # ten hits each, on other images
    found = interval(d)
    assert found.seed_variance > 0
    assert found.has_spread


def test_rounding_is_no_spread() -> None:
    for n, samples in ((3, 360), (6, 40), (4, 7)):
        found = interval(np.ones((n, samples)) - 0.9)  # all right against 0.9
        assert (found.seed_variance, found.sample_variance) == (0, 0)
        assert not found.has_spread
    rng = np.random.default_rng(0)
    row = rng.normal(size=50)
    swapped = np.array(
        [rng.permutation(row - row.mean()) for _ in range(3)]
    )  # means equal 0, but for rounding
    noise = analysis_of_variance(swapped)[2]
    assert interval(swapped).seed_variance == pytest.approx(noise / 150)
    small = interval(1e-9 * np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0]]))
    assert small.has_spread  # a small spread is one all the same


def test_a_single_sample_bounds_nothing() -> None:
    found = interval([[1.0], [2.0], [4.0]])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert (found.n, found.samples) == (3, 1)
    assert "one test sample" in found.flags[0]


@pytest.mark.parametrize(
    ("d", "level", "message"),
    [
        ([1.0, np.inf], 0.95, "NaN or infinite"),
        ([], 0.95, "must have shape"),
        (np.zeros((2, 2, 2)), 0.95, r"got shape \(2, 2, 2\)"),
        ([1.0, 2.0], 95, r"level must lie strictly between 0 and 1, got 95; for 95 percent write 0\.95"),
    ],
)
def test_bad_input_is_refused(d: list[float], level: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        interval(d, level=level)


def test_no_end_lies_beyond_what_can_come() -> None:
    """A difference of two shares is within 100 points, and a share within 0 and 1."""
    right = {"a": (1.0, 0.9, 1.0, 0.95), "b": (0.05, 0.2, 0.0, 0.1)}
    arms = {name: Sampled(np.array(values), range=(0, 1)) for name, values in right.items()}
    d = contrast_values(difference("a", "b"), arms)
    found, free = interval(d), interval(d.values)
    assert free.high > 1
    assert (found.low, found.estimate, found.high) == (free.low, free.estimate, 1)
    back = interval(contrast_values(difference("b", "a"), arms))
    assert (back.low, back.high) == (-1, -found.low)
    assert interval(arms["b"]).low == 0
    assert interval(Sampled(arms["b"].values)).low < 0
