"""The interval of a paired difference, with the variance of the seeds and of the test samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import Floats, check_level, finite_values
from gradlab.statistics._samples import ROUNDING, few_samples_flag, reach, skewness


@dataclass(frozen=True)
class Interval:
    """A mean difference with its two-sided interval at `level`; ends are -inf and inf where unbounded.

    `seed_variance` and `sample_variance` are the two parts of the estimate's variance: what more seeds would
    shrink and what only more test samples would. `degrees_of_freedom` are the seeds', n - 1.
    `has_spread` is false where all differences are equal, so that nothing tells how they vary. `skew` is the
    skewness of the test samples towards the lower and the upper end, 0 where no 0/1 correctness stands
    behind them.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int
    samples: int | None
    seed_variance: float
    sample_variance: float
    degrees_of_freedom: int
    has_spread: bool = True
    skew: tuple[float, float] = (0.0, 0.0)
    flags: tuple[str, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite: one seed, or one test sample, bounds nothing."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def seed_share(self) -> float | None:
        """Share of the variance that comes from the seeds, in [0, 1]; None where there is no variance."""
        total = self.seed_variance + self.sample_variance
        return self.seed_variance / total if self.is_bounded and total > 0 else None


@dataclass(frozen=True)
class _Parts:
    """Variances of the mean, and the skewness of the samples towards either end."""

    seeds: float
    samples: float = 0.0
    skew: tuple[float, float] = (0.0, 0.0)


def interval(d: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean of d over seeds (and test samples) with its two-sided interval.

    The half-width is sqrt(t_{n-1}^2 s^2/n + t_{N-1}^2 s_N^2/N): each source of variance with its own t
    quantile, which covers at least `level` (Banerjee, 1961, Sankhya A 23:359). s is the SD of the seeds' mean
    differences, s_N^2 the variance of the seed-averaged difference over the test samples, without the noise of
    single predictions, which s^2 holds already. Without samples it is Student's interval of n differences.
    Where 0/1 correctness stands behind d, an end towards which the samples are skewed is at least the score
    bound of `_samples.reach`, Wilson's where one arm alone differs: few images decide there, and those
    that the test set does not show count as well.

    Args:
        d: (n,) one paired difference per seed, or (n, N) per seed and test sample (the same N samples for all).
        level: coverage, in (0, 1).

    Returns: the interval. One seed, or one test sample: unbounded, because nothing tells how seeds, or samples,
        vary. All differences equal: `has_spread` is false, and the interval is a point, or with 0/1
        correctness behind the differences what N equal samples leave possible.

    Raises:
        UserError: values that are not finite or of another shape, or a level outside (0, 1).
    """
    check_level(level)
    values = finite_values(d, "d")
    n, samples = values.shape[0], (values.shape[1] if values.ndim == 2 else None)
    estimate = float(values.mean())
    if n == 1 or samples == 1:
        return _unbounded(estimate, level, n, samples)
    parts = _Parts(_variance(values, values) / n) if samples is None else _crossed_parts(values)
    below, above = (reach(parts.seeds, parts.samples, skew, n, samples, level) for skew in parts.skew)
    has_spread = parts.seeds + parts.samples > 0
    flags = () if samples is None else few_samples_flag(values)
    if not has_spread:
        flags = (*flags, f"all {n} differences are equal: the seeds show no spread to judge by")
    return Interval(
        estimate=estimate,
        low=estimate - below,
        high=estimate + above,
        level=level,
        n=n,
        samples=samples,
        seed_variance=parts.seeds,
        sample_variance=parts.samples,
        degrees_of_freedom=n - 1,
        has_spread=has_spread,
        skew=parts.skew,
        flags=flags,
    )


def _unbounded(estimate: float, level: float, n: int, samples: int | None) -> Interval:
    what, between = ("one seed", "seeds") if n == 1 else ("one test sample", "test samples")
    flag = f"{what}: the spread between {between} is unknown, so the interval is unbounded"
    nothing = math.nan
    return Interval(estimate, -math.inf, math.inf, level, n, samples, nothing, nothing, n - 1, flags=(flag,))


def _crossed_parts(values: Floats) -> _Parts:
    """Variance of the mean by seeds and by samples of a crossed layout (n, N), the interaction counted once.

    Both s^2/n and s_N^2/N hold the noise of single predictions, s_C^2/(nN); it stays with the seeds.
    """
    n, samples = values.shape
    by_seed, by_sample, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    residual = values - by_seed[:, None] - by_sample[None, :] + mean
    of_one = float(np.sum(residual**2)) / ((n - 1) * (samples - 1))
    noise = of_one / (n * samples) if of_one > (ROUNDING * np.abs(values).max()) ** 2 else 0.0
    seeds, sample = _variance(by_seed, values) / n, _variance(by_sample, values) / samples
    if seeds == 0:  # equal means of different predictions: counts coincide; their noise remains
        seeds = noise
    between = max(0.0, sample - noise)
    agreement = 1.0 if noise == 0 else between / (between + n * noise)
    return _Parts(seeds, between, skewness(values, agreement))


def _variance(means: Floats, values: Floats) -> float:
    """Unbiased variance of means; zero where the spread is the rounding alone of the values behind them."""
    if np.ptp(means) <= ROUNDING * np.abs(values).max():
        return 0.0
    return float(means.var(ddof=1))
