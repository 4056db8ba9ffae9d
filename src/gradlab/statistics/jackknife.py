"""The jackknife: what each sample contributes to a measure that is no mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import Floats, finite_values
from gradlab.types import UserError

_AT_ONCE = 1_000_000


@dataclass(frozen=True, eq=False)
class Influence:
    """A measure's value and what each of N samples contributes to it, (N,); their mean is the value.

    The variance of the contributions divided by N is that of the value over new samples.
    """

    value: float
    samples: Floats


def jackknife(statistic: Callable[[Floats], Floats], contributions: ArrayLike) -> Influence:
    """Return the pseudo-values of a measure that is a smooth function of sums over the samples.

    Macro F1 is one of true positives, predicted and true counts per class; the calibration error of the sums
    per bin. All leave-one-out values come from one vectorised call a block: 10,000 samples of 30 sums take
    some ten milliseconds. Not for measures that rest on one order statistic (median, FPR at a given TPR): their
    jackknife variance is wrong however many samples there are. Those by ranks (average precision) are no
    function of few sums: give their leave-one-out values to `pseudo_values`. (Efron and Stein, 1981,
    doi:10.1214/aos/1176345462.)

    Args:
        statistic: maps sums (..., P) to values (...).
        contributions: (N, P), what each sample adds to the P sums; N at least 2.

    Raises:
        UserError: another shape, one sample, or a statistic that does not map sums (..., P) to (...).
    """
    each = finite_values(contributions, "contributions")
    if each.ndim != 2 or len(each) < 2:
        raise UserError(
            f"contributions must have shape (samples, sums) with two samples or more, got {each.shape}."
        )
    total = each.sum(axis=0)
    whole = statistic(total)
    rows = max(1, _AT_ONCE // each.shape[1])
    without = [statistic(total - each[start : start + rows]) for start in range(0, len(each), rows)]
    if np.ndim(whole) != 0 or any(np.ndim(block) != 1 for block in without):
        raise UserError(
            "the statistic must map sums of shape (..., P) to (...); sum over the last axis only."
        )
    value = float(whole)
    return Influence(value, pseudo_values(value, np.concatenate(without)))


def pseudo_values(value: float, without: ArrayLike) -> Floats:
    """Return N value - (N - 1) without_i, shifted so that their mean is `value`: the bias is left as it is.

    Args:
        value: the measure on all N samples.
        without: (N,) the measure without sample i; N at least 2.

    Raises:
        UserError: another shape, fewer than two, or values that are not finite.
    """
    left_out = finite_values(without, "values without one sample")
    if left_out.ndim != 1 or left_out.size < 2:
        raise UserError(
            f"the values without one sample must have shape (samples,) with two or more, got {left_out.shape}."
        )
    return np.asarray(value - (left_out.size - 1) * (left_out - left_out.mean()), dtype=np.float64)
