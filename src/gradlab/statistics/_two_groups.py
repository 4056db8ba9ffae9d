"""The bound for arms whose runs fall in two groups: some learned, some did not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradlab._scipy import special
from gradlab.statistics._arms import States
from gradlab.statistics._checks import Floats
from gradlab.statistics.differences import Differences
from gradlab.statistics.interval import Interval


def mixed_arms(learned: States) -> tuple[str, ...]:
    """Name the arms in which some runs learned and some did not."""
    return tuple(arm for arm, runs in learned.items() if runs.any() and not runs.all())


def two_groups(
    d: Differences, mixed: Sequence[str], found: Interval, *, n: int | None = None, inflation: float = 1.0
) -> Interval | None:
    """Return the interval of d where the runs of the `mixed` arms fall in two groups; None where it has none.

    A mean of two groups is far from normal, so nothing but the range of the values is used. With x in [0, 1] after
    scaling, n independent runs of mean mu and e = alpha / (2 T), E prod(x_i / mu) = 1 and Markov's inequality give
    mu >= (e prod x_i)^(1/n), and for 1 - x the upper end. T counts the mixed arms, and the rest of the contrast
    where there is any, which has Student's interval over the seeds at 1 - alpha/T. Ends add up by the signs of the
    weights to L0 and U0, and L = mean - sqrt((mean - L0)^2 + h^2), U alike, h the normal half-width of the
    test samples of the whole contrast at 1 - alpha/T.

    Args:
        d: the differences, with their arms.
        mixed: names of the arms in two groups, of the contrast.
        found: the interval that leaves the groups out of account: estimate, level and sample axes are taken from it.
        n: number of seeds for which to tell the ends, should the runs go on as they did; None: as many as there are.
        inflation: factor of the variance over the seeds of the rest.

    Returns: None where a mixed arm has no range, the contrast is of logarithms, or the rest of the contrast shows no
        spread and there is no test sample.
    """
    if d.contrast.log or any(d.arms[arm].range is None for arm in mixed):
        return None
    rest = [arm for arm in d.arms if arm not in mixed]
    alpha = (1 - found.level) / (len(mixed) + bool(rest))
    count = d.values.size if n is None else n
    low = high = d.contrast.constant
    for arm in mixed:
        ends = [d.contrast.weights[arm] * end for end in _ends_of_mean(d, arm, alpha / 2, count)]
        low, high = low + min(ends), high + max(ends)
    if rest:
        part = np.sum([d.contrast.weights[arm] * d.arms[arm].values for arm in rest], axis=0)
        if count < 2 or (np.ptp(part) == 0 and not found.axes):
            return None
        half = _t(count, alpha) * float(part.std(ddof=1)) * math.sqrt(inflation / count)
        low, high = low + float(part.mean()) - half, high + float(part.mean()) + half
    h = math.sqrt(math.fsum(_t(axis.samples, alpha) ** 2 * axis.variance for axis in found.axes))
    below, above = math.hypot(found.estimate - low, h), math.hypot(high - found.estimate, h)
    return replace(found, low=found.estimate - below, high=found.estimate + above, rule="two groups")


def _ends_of_mean(d: Differences, arm: str, error: float, n: int) -> tuple[float, float]:
    """Bounds of an arm's mean over runs, each wrong with probability `error` at most, in the measure's unit."""
    range_ = d.arms[arm].range
    assert range_ is not None  # checked by the caller
    least, most = range_
    x = np.clip((d.arms[arm].values - least) / (most - least), 0, 1)
    low, high = _geometric(x, error, n), 1 - _geometric(1 - x, error, n)
    return least + low * (most - least), least + high * (most - least)


def _geometric(x: Floats, error: float, n: int) -> float:
    """(error prod x)^(1/n), the product taken of n values that go on as these."""
    if (x <= 0).any():
        return 0.0
    return math.exp(math.log(error) / n + float(np.log(x).mean()))


def _t(count: int, alpha: float) -> float:
    return float(special.stdtrit(count - 1, 1 - alpha / 2))
