"""The interval of a paired difference, with the variance of the seeds and of the test samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from gradlab.statistics._checks import Floats, check_level, finite_values

FEW_SAMPLES = 5
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A mean difference with its two-sided interval at `level`; ends are -inf and inf where unbounded.

    `seed_variance` and `sample_variance` are the two parts of the estimate's variance: what more seeds would
    shrink and what only more test samples would. `degrees_of_freedom` are the seeds', n - 1.
    `has_spread` is false where n differences are all equal, so that the interval is a bare point; `is_widened`
    says that the interval allows for kinds of test samples that the test set does not show.
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
    is_widened: bool = False
    flags: tuple[str, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite: one seed alone bounds nothing."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def seed_share(self) -> float | None:
        """Share of the variance that comes from the seeds, in [0, 1]; None where there is no variance."""
        total = self.seed_variance + self.sample_variance
        return self.seed_variance / total if self.is_bounded and total > 0 else None


@dataclass(frozen=True)
class _Parts:
    seeds: float
    samples: float


def interval(d: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean of d over seeds (and test samples) with its two-sided interval.

    The half-width is sqrt(t_{n-1}^2 s^2/n + t_{N-1}^2 s_N^2/N): each source of variance with its own t
    quantile, which covers at least `level` (Banerjee, 1961, Sankhya A 23:359). s is the SD of the seeds' mean
    differences, s_N^2 the variance of the seed-averaged difference over the test samples, without the noise of
    single predictions, which s^2 holds already. Without samples it is Student's interval of n differences.

    Args:
        d: (n,) one paired difference per seed, or (n, N) per seed and test sample (the same N samples for all).
        level: coverage, in (0, 1).

    Returns: the interval. One seed: unbounded, because nothing tells how seeds vary. n equal differences: a
        point with `has_spread` false. Fewer than five test samples that tell the arms apart, with differences of
        0/1 correctness: at least as wide as what N samples can miss (the rule of three).

    Raises:
        UserError: values that are not finite or of another shape, or a level outside (0, 1).
    """
    check_level(level)
    values = finite_values(d, "d")
    n, samples = values.shape[0], (values.shape[1] if values.ndim == 2 else None)
    estimate = float(values.mean())
    if n == 1:
        flag = "one seed: the spread between seeds is unknown, so the interval is unbounded"
        nothing = math.nan
        return Interval(estimate, -math.inf, math.inf, level, 1, samples, nothing, nothing, 0, flags=(flag,))
    parts = _seed_part(values) if samples is None else _crossed_parts(values)
    half = half_width(parts.seeds, parts.samples, n, samples, level)
    low, high = estimate - half, estimate + half
    flags: list[str] = []
    if samples is not None:
        low, high, flags = _widen_for_few_samples(values, low, high, level)
    is_widened, has_spread = bool(flags), high > low
    if not has_spread:
        flags.append(f"all {n} differences are equal: the seeds show no spread to judge by")
    parts_and_level = (level, n, samples, parts.seeds, parts.samples, n - 1)
    return Interval(estimate, low, high, *parts_and_level, has_spread, is_widened, tuple(flags))


def half_width(
    seed_variance: float, sample_variance: float, n: int, samples: int | None, level: float
) -> float:
    """Return sqrt(t_{n-1}^2 seed_variance + t_{N-1}^2 sample_variance); both variances are of the mean."""
    upper = 0.5 + level / 2
    squared = float(stdtrit(n - 1, upper)) ** 2 * seed_variance
    if samples is not None:
        squared += float(stdtrit(samples - 1, upper)) ** 2 * sample_variance
    return math.sqrt(squared)


def _seed_part(values: Floats) -> _Parts:
    return _Parts(_variance(values) / values.size, 0.0)


def _crossed_parts(values: Floats) -> _Parts:
    """Variance of the mean by seeds and by samples of a crossed layout (n, N), the interaction counted once.

    Both s^2/n and s_N^2/N hold the noise of single predictions, s_C^2/(nN); it stays with the seeds.
    """
    n, samples = values.shape
    by_seed, by_sample, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    residual = values - by_seed[:, None] - by_sample[None, :] + mean
    noise = float(np.sum(residual**2)) / ((n - 1) * (samples - 1)) / (n * samples)
    seeds, sample = _variance(by_seed) / n, _variance(by_sample) / samples
    if seeds == 0:  # equal means of different predictions: counts coincide; their noise remains
        seeds = noise if noise > _ROUNDING * sample else 0.0
    return _Parts(seeds, max(0.0, sample - noise))


def _variance(values: Floats) -> float:
    """Unbiased variance; zero where the spread is rounding alone."""
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return 0.0
    return float(values.var(ddof=1))


def _widen_for_few_samples(
    values: Floats, low: float, high: float, level: float
) -> tuple[float, float, list[str]]:
    """Where 0/1 correctness differs from one constant on fewer than five samples, allow for the unseen.

    A kind of image that none of N shows can still be a share u of all, (1 - u)^N = (1 - level) / 2.
    """
    if not np.isin(values, (-1.0, 0.0, 1.0)).all():
        return low, high, []
    samples = values.shape[1]
    differing = {usual: int(np.any(values != usual, axis=0).sum()) for usual in (0.0, 1.0, -1.0)}
    usual = min(differing, key=lambda value: differing[value])
    if differing[usual] >= FEW_SAMPLES:
        return low, high, []
    unseen = 1 - ((1 - level) / 2) ** (1 / samples)
    flag = (
        f"only {differing[usual]} of {samples} test samples differ from the rest: "
        "the interval allows for kinds of samples that the test set does not show"
    )
    return min(low, usual - unseen * (1 + usual)), max(high, usual + unseen * (1 - usual)), [flag]
