"""What a claim compares: a weighted sum over arms, as data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from pydantic.dataclasses import dataclass

from gradlab.statistics._checks import Floats, finite_values
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


def contrast_values(contrast: Contrast, values: Mapping[str, ArrayLike]) -> Floats:
    """Return d of the contrast for every seed, or every seed and test sample.

    Args:
        contrast: what to compare.
        values: arm -> (n,) one value per seed, or (n, N) per seed and test sample; entry i of every arm is the
            same seed, entry j the same sample. Arms beyond the contrast's are ignored.

    Returns: (n,) or (n, N), as the values.

    Raises:
        UserError: an arm is missing, arms differ in shape, or under `log` a value is not positive or per sample.
    """
    missing = [arm for arm in contrast.weights if arm not in values]
    if missing or not contrast.weights:
        raise UserError(
            f"the contrast needs values of its arms, missing {missing or 'every arm'}; there are {sorted(values)}."
        )
    arrays = {arm: finite_values(values[arm], f"values of {arm!r}") for arm in contrast.weights}
    shapes = {arm: array.shape for arm, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise UserError(
            f"arms are compared seed by seed, so all need the same shape, got {shapes}; "
            "run the missing seeds, or leave out those that not every arm has."
        )
    if contrast.log:
        arrays = {arm: _logged(arm, array) for arm, array in arrays.items()}
    terms = [weight * arrays[arm] for arm, weight in contrast.weights.items()]
    return np.asarray(np.sum(terms, axis=0) + contrast.constant, dtype=np.float64)


def _logged(arm: str, array: Floats) -> Floats:
    if array.ndim == 2:
        raise UserError(
            f"a ratio is taken of one value per seed, got {array.shape} for {arm!r}; average over samples first."
        )
    if (array <= 0).any():
        raise UserError(
            f"a ratio needs positive values, got {array.min():g} in {arm!r}; use a difference instead."
        )
    return np.log(array)


def _combine(*terms: dict[str, float]) -> Contrast:
    """Sum of terms; an arm named twice adds up."""
    weights: dict[str, float] = {}
    for term in terms:
        for arm, weight in term.items():
            weights[arm] = weights.get(arm, 0.0) + weight
    return Contrast(weights)
