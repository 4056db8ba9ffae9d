"""The interval of a paired difference, with the variance of the seeds and of the test samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import check_level, finite_values
from gradlab.statistics._layout import Layout, lay_out, without_seeds
from gradlab.statistics._samples import Axis, axis_of, few_samples_flag, reach, variance_of
from gradlab.statistics.differences import Differences
from gradlab.statistics.sampled import Sampled

Rule: TypeAlias = Literal["normal", "two groups", "none"]


@dataclass(frozen=True)
class Interval:
    """A mean difference with its two-sided interval at `level`; ends are -inf and inf where unbounded.

    `seed_variance` and `sample_variance` are the two parts of the estimate's variance: what more seeds would
    shrink and what only more test samples would; `axes` tell the latter for each independent axis, with the
    skewness of its samples. `degrees_of_freedom` are the seeds', n - 1, and 0 where the network is `given`.
    `has_spread` is false where all differences are equal, so that nothing tells how they vary. `rule` is the bound that
    was used: "normal" with the score bound, or that for runs in "two groups"; "none" where neither holds.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int
    seed_variance: float
    degrees_of_freedom: int
    axes: tuple[Axis, ...] = ()
    has_spread: bool = True
    given: bool = False
    rule: Rule = "normal"
    flags: tuple[str, ...] = ()

    @property
    def samples(self) -> int | None:
        """Number of test samples, over all axes; None where there is none."""
        return sum(axis.samples for axis in self.axes) if self.axes else None

    @property
    def sample_variance(self) -> float:
        """Variance of the estimate by the test samples."""
        return math.fsum(axis.variance for axis in self.axes)

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite: one seed, or one test sample, bounds nothing."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def seed_share(self) -> float | None:
        """Share of the variance that comes from the seeds, in [0, 1]; None where there is no variance."""
        total = self.seed_variance + self.sample_variance
        return self.seed_variance / total if self.is_bounded and total > 0 else None


def interval(d: ArrayLike | Sampled | Differences, *, level: float = 0.95, given: bool = False) -> Interval:
    """Return the mean of d over seeds (and test samples) with its two-sided interval.

    The half-width is sqrt(t_{n-1}^2 s^2/n + sum over axes of t_{N-1}^2 s_N^2/N): each source of variance with its
    own t quantile, which covers at least `level` (Banerjee, 1961, Sankhya A 23:359). s is the SD of the seeds'
    differences, s_N^2 the variance of the seed-averaged contributions over the samples of an axis, without the
    noise of single predictions, which s^2 holds already. Without samples it is Student's interval of n differences.
    An end towards which the samples are skewed is at least the score bound of `_samples.reach`. Where 0/1
    correctness stands behind d it is Wilson's where one arm alone differs: few images decide there, and those
    that the test set does not show count as well. No end lies beyond the range of what can come, where d tells it.

    Args:
        d: what `contrast_values` returns, or `Sampled`; or plain numbers: (n,) one paired difference per seed, or
            (n, N) per seed and test sample (the same N samples for all), which are taken for 0/1 correctness
            where all lie whole steps of 1 apart.
        level: coverage, in (0, 1).
        given: whether there is one given network, not a sample of seeds: the rows are repeated draws (of an
            attack) that are averaged, and the interval holds the test samples alone.

    Returns: the interval. One seed, or one test sample: unbounded, because nothing tells how seeds, or samples,
        vary; so is a given network without samples. All differences equal: `has_spread` is false, and the interval
        is a point, or with 0/1 correctness behind the differences what N equal samples leave possible.

    Raises:
        UserError: values that are not finite or of another shape, or a level outside (0, 1).
    """
    check_level(level)
    whole = lay_out(d)
    n = whole.values.size
    layout = without_seeds(whole) if given else whole
    if missing := _unknown(layout, given=given):
        axes = tuple(Axis(name, axis.shape[1], math.nan) for name, axis in layout.axes.items())
        return _unbounded(layout.estimate, level, n, axes, missing, given=given)
    seeds, axes = _parts(layout, given=given)
    found = _of_parts(layout.estimate, n, seeds, axes, level, given=given)
    low, high = _possible(d, found)
    return replace(found, low=low, high=high, flags=_flags(whole, has_spread=found.has_spread, given=given))


def _possible(d: Any, found: Interval) -> tuple[float, float]:
    """Return the ends within what can come, where it is known: no share is over 1, no difference of two over 100 points."""
    least, most = getattr(d, "range", None) or (-math.inf, math.inf)
    return max(found.low, min(least, found.estimate)), min(found.high, max(most, found.estimate))


def interval_again(
    values: ArrayLike, axes: Sequence[Mapping[str, Any]], seed_variance: float, *, level: float = 0.95
) -> Interval:
    """Return the interval from each seed's value and what the samples add to it, as `interval` found it, without its flags.

    Args:
        values: (n,), at least two. axes: fields of that interval's axes, each of at least two samples.
        seed_variance: of that interval; it counts where all values are equal and single predictions are not.
        level: coverage, in (0, 1).
    """
    check_level(level)
    of_seeds = finite_values(values, "values")
    seeds = variance_of(of_seeds, float(np.abs(of_seeds).max())) / of_seeds.size or seed_variance
    known = tuple(Axis(**{**one, "skew": tuple(one["skew"]), "spread": tuple(one["spread"])}) for one in axes)
    return _of_parts(float(of_seeds.mean()), of_seeds.size, seeds, known, level, given=False)


def _of_parts(
    estimate: float, n: int, seeds: float, axes: tuple[Axis, ...], level: float, *, given: bool
) -> Interval:
    below, above = (reach(seeds, axes, n, level, side) for side in (0, 1))
    return Interval(
        estimate=estimate,
        low=estimate - below,
        high=estimate + above,
        level=level,
        n=n,
        seed_variance=seeds,
        degrees_of_freedom=0 if given else n - 1,
        axes=axes,
        has_spread=seeds + math.fsum(axis.variance for axis in axes) > 0,
        given=given,
    )


def _unknown(layout: Layout, *, given: bool) -> tuple[str, str] | None:
    """What there is one of only, and what therefore is not known; None where nothing is missing."""
    if not given and layout.values.size == 1:
        return "one seed", "seeds"
    if any(axis.shape[1] == 1 for axis in layout.axes.values()):
        return "one test sample", "test samples"
    return ("a given network without test samples", "samples") if given and not layout.axes else None


def _unbounded(
    estimate: float, level: float, n: int, axes: tuple[Axis, ...], missing: tuple[str, str], *, given: bool
) -> Interval:
    what, between = missing
    flag = f"{what}: the spread between {between} is unknown, so the interval is unbounded"
    freedom = 0 if given else n - 1
    return Interval(
        estimate, -math.inf, math.inf, level, n, math.nan, freedom, axes, given=given, flags=(flag,)
    )


def _parts(layout: Layout, *, given: bool) -> tuple[float, tuple[Axis, ...]]:
    """Variance of the mean by the seeds, and by the samples of each axis, the interaction counted once.

    Both s^2/n and s_N^2/N hold the noise of single predictions, s_C^2/(nN); it stays with the seeds.
    """
    found = [
        axis_of(name, axis, layout.ranges.get(name), with_seeds=not given)
        for name, axis in layout.axes.items()
    ]
    axes = tuple(axis for axis, _ in found)
    if given:
        return 0.0, axes
    largest = max(float(np.abs(each).max()) for each in (layout.values, *layout.axes.values()))
    seeds = variance_of(layout.values, largest) / layout.values.size
    if seeds == 0:  # equal means of different predictions: counts coincide; their noise remains
        seeds = math.fsum(noise for _, noise in found)
    return seeds, axes


def _flags(layout: Layout, *, has_spread: bool, given: bool) -> tuple[str, ...]:
    flags = [flag for name in layout.ranges for flag in few_samples_flag(layout.axes[name])]
    if has_spread:
        return tuple(flags)
    if given:
        return (*flags, "all test samples are equal: they show no spread to judge by")
    return (*flags, f"all {layout.values.size} differences are equal: the seeds show no spread to judge by")
