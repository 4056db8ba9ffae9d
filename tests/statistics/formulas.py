"""The formulas of an interval's ends, written out once more for tests."""

import math

import numpy as np
from scipy import stats


def skewed_ends(by_sample: list[np.ndarray], squared: float, level: float) -> tuple[float, float]:
    """How far an interval reaches below and above, where nothing is binary.

    `by_sample` are the seed-averaged contributions of every axis, `squared` is B^2 at this level.
    """
    top = bottom = 0.0
    for values in by_sample:
        n = len(values)
        centred = values - sum(values) / n
        top += stats.t.ppf(0.5 + level / 2, n - 1) ** 2 * sum(centred**3) / n / n**2
        bottom += sum(centred**2) / n / n
    reached = []
    for sign in (-1, 1):
        wg = sign * top / bottom if bottom else 0.0
        reached.append(max(math.sqrt(squared), (wg + math.sqrt(wg**2 + 4 * squared)) / 2))
    return reached[0], reached[1]
