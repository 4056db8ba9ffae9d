"""What the test samples add to an interval: variance, skewness, and kinds of samples that the data do not show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab._scipy import special
from gradlab.statistics._checks import Floats

ROUNDING = 1e-12
FEW_SAMPLES = 5
_ON_STEP = 1e-9
_MOST_STEPS = 4  # a difference of differences of correctness spans -2 to 2
Pair = tuple[float, float]
"""Something towards the lower and towards the upper end of the interval."""


@dataclass(frozen=True)
class Axis:
    """What one sample axis adds to an interval.

    Attributes:
        name: its data and rows; "" where samples were given without a name.
        samples: N, how many independent samples it has.
        variance: that of the mean, by these samples.
        skew: skewness of the seed-averaged contributions towards either end, in the unit of the measure.
        spread: variance of the mean towards either end that goes with `skew`, the noise of predictions and, where
            they are binary, a sample that the data do not show included; axes share a distance by it.
        is_binary: whether 0/1 correctness stands behind the contributions.
    """

    name: str
    samples: int
    variance: float
    skew: Pair = (0.0, 0.0)
    spread: Pair = (0.0, 0.0)
    is_binary: bool = False


def reach(seed_variance: float, axes: Sequence[Axis], n: int, level: float, side: int) -> float:
    """Return how far an end of the interval lies from the mean: the lower where `side` is 0, the upper where it is 1.

    B = sqrt(t_{n-1}^2 seed_variance + sum over axes of t_{N-1}^2 variance); variances are of the mean. The end is
    the wider of B and the score bound D: were the end the truth, and D made up by the axes as their spreads are
    (shares p), then the variance of the samples of axis k would be s^2 + skew p D, so D solves
    D^2 = B^2 + sum of t_{N-1}^2 skew p D / N. Of 0/1 correctness the whole distribution is known from its mean:
    there it is s^2 + skew p D - (p D)^2. For one arm that is right on a share of N samples, the same in every
    seed, D is the score bound of Wilson (1927, doi:10.1080/01621459.1927.10502953), with t for z.
    """
    upper = 0.5 + level / 2
    squared = float(special.stdtrit(n - 1, upper)) ** 2 * seed_variance if seed_variance else 0.0
    if not axes:
        return math.sqrt(squared)
    t_squared = [float(special.stdtrit(axis.samples - 1, upper)) ** 2 for axis in axes]
    for axis, t in zip(axes, t_squared, strict=True):
        squared += t * axis.variance
    total = sum(axis.spread[side] for axis in axes)
    linear = quadratic = 0.0
    for axis, t in zip(axes, t_squared, strict=True):
        share = axis.spread[side] / total if total > 0 else 1 / len(axes)
        weight = t / axis.samples
        linear += weight * share * axis.skew[side]
        quadratic += weight * share**2 if axis.is_binary else 0.0
    score = linear + math.sqrt(linear**2 + 4 * (1 + quadratic) * squared)
    return max(math.sqrt(squared), score / (2 * (1 + quadratic)))


def axis_of(name: str, values: Floats, range_: Pair | None, *, with_seeds: bool) -> tuple[Axis, float]:
    """Return what the samples of one axis add, and the variance of the mean by the noise of single predictions.

    Args:
        name: of the axis.
        values: (n, N) contributions, N at least 2; n is 1 where the seeds are not counted.
        range_: of a contribution, where 0/1 correctness stands behind them.
        with_seeds: whether the noise is counted with the seeds, and so not here.
    """
    n, samples = values.shape
    by_sample = variance_of(values.mean(axis=0), float(np.abs(values).max())) / samples
    noise = _noise(values) if with_seeds else 0.0
    between = max(0.0, by_sample - noise)
    agreement = 1.0 if noise == 0 else between / (between + n * noise)
    skew, spread = skewness(values, range_, agreement if range_ is not None else 0.0)
    return Axis(name, samples, between, skew, spread, range_ is not None), noise


def _noise(values: Floats) -> float:
    """Variance of the mean by the interaction of seeds and samples, s_C^2/(nN); zero where it is rounding."""
    n, samples = values.shape
    by_seed, by_sample, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    residual = values - by_seed[:, None] - by_sample[None, :] + mean
    of_one = float(np.sum(residual**2)) / ((n - 1) * (samples - 1))
    return of_one / (n * samples) if of_one > (ROUNDING * np.abs(values).max()) ** 2 else 0.0


def variance_of(means: Floats, largest: float) -> float:
    """Unbiased variance of means; zero where it is the rounding alone of values that are at most `largest`."""
    if np.ptp(means) <= ROUNDING * largest:
        return 0.0
    return float(means.var(ddof=1))


def skewness(values: Floats, range_: Pair | None, agreement: float) -> tuple[Pair, Pair]:
    """Return skewness and spread of the seed-averaged samples towards the lower and towards the upper end.

    The skewness is the third over the second sum of powers of the distances from the mean, in the unit of the values;
    the spread is the second over N^2. Where they are binary, one more sample is put towards the end of what can
    come: a kind of sample that the test set does not show. It is put there by `agreement` of the way, as far as
    samples go on which predictions differ at all.

    Args:
        values: (n, N).
        range_: least and greatest value that can come, where they are binary.
        agreement: intraclass correlation of the predictions on one sample, in [0, 1]; 1 where all seeds agree.
    """
    mean = float(values.mean())
    least, greatest = (mean, mean) if range_ is None else range_
    centred = values.mean(axis=0) - mean
    second, third = float(np.sum(centred**2)), float(np.sum(centred**3))
    if range_ is None and second <= centred.size * (ROUNDING * float(np.abs(values).max())) ** 2:
        return (0.0, 0.0), (0.0, 0.0)
    skew, spread = [], []
    for sign, far in ((-1, agreement * (mean - least)), (1, agreement * (greatest - mean))):
        total = second + far**2
        skew.append((sign * third + far**3) / total if total > ROUNDING**2 else 0.0)
        spread.append(total / centred.size**2)
    return (skew[0], skew[1]), (spread[0], spread[1])


def guessed_range(values: Floats) -> Pair | None:
    """Return the least and the greatest value that could have come, where 0/1 correctness stands behind them.

    It is for plain numbers, whose giver did not say (`Sampled` does). That is so where all values lie whole steps of
    1 apart. Whole numbers are taken for a difference of two arms, -1
    to 1 (or of differences, -2 to 2), other values between -1 and 1 for one arm less a constant in (0, 1), and
    all else for a difference plus a constant, at least two steps wide. None: they are something else.
    """
    least, greatest = float(values.min()), float(values.max())
    above, span = values - least, round(greatest - least)
    if span > _MOST_STEPS or (np.abs(above - np.rint(above)) > _ON_STEP).any():
        return None
    largest = max(-least, greatest)
    if abs(largest - round(largest)) <= _ON_STEP and largest <= _MOST_STEPS / 2:
        most = max(1.0, largest)
        return -most, most
    if largest < 1:
        lowest = least - 1 if least > 0 else least
        return lowest, lowest + 1
    spare = max(0, 2 - span)
    return least - spare, greatest + spare


def few_samples_flag(values: Floats) -> tuple[str, ...]:
    """Say where 0/1 correctness differs from one constant on fewer than five samples."""
    usual = np.unique(values.round(6))[:, None, None]
    differing = int((np.abs(values - usual) > 0.5).any(axis=1).sum(axis=1).min())
    if differing >= FEW_SAMPLES:
        return ()
    return (
        f"only {differing} of {values.shape[1]} test samples differ from the rest: "
        "the interval allows for kinds of samples that the test set does not show",
    )
