"""Area under the precision-recall curve, with either set as the positive one."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._accepted import accepted
from gradlab.metrics.arrays import Integers


def aupr_in(in_distribution: Any, out_of_distribution: Any, *, balanced: bool = False) -> float:
    """Average precision of finding in-distribution images among the smallest scores.

    Precision is averaged over the recall that each threshold adds (no interpolation, as in scikit-learn).

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
        balanced: weigh both sets alike, so that sets of other sizes compare; else by their numbers.
    Returns: a fraction in (0, 1]; chance is N / (N + M), or 0.5 if balanced.
    """
    inside, outside = accepted(in_distribution, out_of_distribution)
    return _average_precision(inside, outside, balanced=balanced)


def aupr_out(in_distribution: Any, out_of_distribution: Any, *, balanced: bool = False) -> float:
    """Average precision of finding out-of-distribution images among the largest scores; else as `aupr_in`.

    Returns: a fraction in (0, 1]; chance is M / (N + M), or 0.5 if balanced.
    """
    inside, outside = accepted(in_distribution, out_of_distribution)
    return _average_precision(outside[-1] - outside[::-1], inside[-1] - inside[::-1], balanced=balanced)


def _average_precision(hits: Integers, misses: Integers, *, balanced: bool) -> float:
    """Average precision from cumulated counts of positives and negatives, the surest first."""
    weight = hits[-1] / misses[-1] if balanced else 1.0
    precision = hits[1:] / (hits[1:] + weight * misses[1:])
    return float((np.diff(hits) * precision).sum() / hits[-1])
