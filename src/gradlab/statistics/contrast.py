"""What a claim compares: a weighted sum over arms, as data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab._configuration import dataclass
from gradlab.types import STRICT, UserError


@dataclass(frozen=True, config=STRICT)
class Contrast:
    """d = sum of weight times value over the arms, plus a constant.

    With `log`, values are replaced by their natural logarithm first, so that d is a log-ratio: log(2) = 0.69
    means twice as large, and delta is given on that scale.
    """

    weights: dict[str, float]
    constant: float = 0.0
    log: bool = False


def difference(a: str, b: str) -> Contrast:
    """Arm a minus arm b, paired by seed."""
    return _combine({a: 1.0}, {b: -1.0})


def against(a: str, value: float) -> Contrast:
    """Arm a minus a constant, e.g. chance."""
    return Contrast({a: 1.0}, constant=-float(value))


def slope(positions: Mapping[str, float]) -> Contrast:
    """Least-squares slope over ordered arms: change of the measure per unit of x.

    Args:
        positions: arm -> x, e.g. {"depth-2": 2, "depth-8": 8}; at least two different x.

    Raises:
        UserError: fewer than two different positions.
    """
    x = np.array(list(positions.values()), dtype=np.float64)
    if np.unique(x).size < 2:
        raise UserError(f"a slope needs at least two different positions, got {dict(positions)}.")
    centred = x - x.mean()
    return Contrast(dict(zip(positions, (centred / np.sum(centred**2)).tolist(), strict=True)))


def difference_of_differences(a: str, b: str, c: str, e: str) -> Contrast:
    """(a - b) - (c - e): whether the gap of a over b exceeds that of c over e."""
    return _combine({a: 1.0}, {b: -1.0}, {c: -1.0}, {e: 1.0})


def ratio(a: str, b: str) -> Contrast:
    """log(a / b), natural; values must be positive."""
    return Contrast(difference(a, b).weights, log=True)


def _combine(*terms: dict[str, float]) -> Contrast:
    """Sum of terms; an arm named twice adds up."""
    weights: dict[str, float] = {}
    for term in terms:
        for arm, weight in term.items():
            weights[arm] = weights.get(arm, 0.0) + weight
    return Contrast(weights)
