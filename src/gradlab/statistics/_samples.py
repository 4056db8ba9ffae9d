"""What the test samples add to an interval: skewness, and kinds of samples that the test set does not show."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from gradlab.statistics._checks import Floats

ROUNDING = 1e-12
FEW_SAMPLES = 5
_ON_STEP = 1e-9
_MOST_STEPS = 4  # a difference of differences of correctness spans -2 to 2


def reach(
    seed_variance: float, sample_variance: float, skew: float, n: int, samples: int | None, level: float
) -> float:
    """Return how far an end of the interval lies from the mean; `skew` is the skewness towards that end.

    B = sqrt(t_{n-1}^2 seed_variance + t_{N-1}^2 sample_variance); both variances are of the mean. It is the wider
    of B and the score bound: were the end, D from the mean, the truth, then the samples' variance would be
    s^2 + skew D - D^2, so D solves D^2 = B^2 + t_{N-1}^2 (skew D - D^2) / N. For one arm that is right on a share
    of N samples, the same in every seed, the score bound is that of Wilson (1927,
    doi:10.1080/01621459.1927.10502953), with t for z.
    """
    upper = 0.5 + level / 2
    squared = float(stdtrit(n - 1, upper)) ** 2 * seed_variance
    if samples is None:
        return math.sqrt(squared)
    t_squared = float(stdtrit(samples - 1, upper)) ** 2
    squared += t_squared * sample_variance
    weight = t_squared / samples
    score = weight * skew + math.sqrt((weight * skew) ** 2 + 4 * (1 + weight) * squared)
    return max(math.sqrt(squared), score / (2 * (1 + weight)))


def skewness(values: Floats, agreement: float) -> tuple[float, float]:
    """Return the skewness of the seed-averaged samples towards the lower and towards the upper end.

    It is the third over the second sum of powers of the distances from the mean, in the unit of the values,
    after one more sample is put towards the end of what can come: a kind of sample that the test set does not
    show. It is put there by `agreement` of the way, as far as samples go on which predictions differ at all.

    Args:
        values: (n, N).
        agreement: intraclass correlation of the predictions on one sample, in [0, 1]; 1 where all seeds agree.

    Returns: (0, 0) where no 0/1 correctness stands behind the values: those keep the normal interval.
    """
    range_ = possible_range(values)
    if range_ is None:
        return 0.0, 0.0
    mean = float(values.mean())
    centred = values.mean(axis=0) - mean
    second, third = float(np.sum(centred**2)), float(np.sum(centred**3))
    below, above = (
        (sign * third + far**3) / total if (total := second + far**2) > ROUNDING**2 else 0.0
        for sign, far in ((-1, agreement * (mean - range_[0])), (1, agreement * (range_[1] - mean)))
    )
    return below, above


def possible_range(values: Floats) -> tuple[float, float] | None:
    """Return the least and the greatest value that could have come, where 0/1 correctness stands behind them.

    That is so where all values lie whole steps of 1 apart. Whole numbers are taken for a difference of two arms, -1
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
    if possible_range(values) is None:
        return ()
    usual = np.unique(values.round(6))[:, None, None]
    differing = int((np.abs(values - usual) > 0.5).any(axis=1).sum(axis=1).min())
    if differing >= FEW_SAMPLES:
        return ()
    return (
        f"only {differing} of {values.shape[1]} test samples differ from the rest: "
        "the interval allows for kinds of samples that the test set does not show",
    )
