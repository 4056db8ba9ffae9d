"""Evaluate a contrast over the values of its arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, overload

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import Floats, finite_values
from gradlab.statistics.contrast import Contrast
from gradlab.statistics.differences import Differences, differences
from gradlab.statistics.sampled import Sampled
from gradlab.types import UserError


@overload
def contrast_values(contrast: Contrast, values: Mapping[str, Sampled]) -> Differences: ...


@overload
def contrast_values(contrast: Contrast, values: Mapping[str, ArrayLike]) -> Floats: ...


def contrast_values(
    contrast: Contrast, values: Mapping[str, ArrayLike] | Mapping[str, Sampled]
) -> Floats | Differences:
    """Return d of the contrast for every seed, or every seed and test sample.

    Args:
        contrast: what to compare.
        values: arm -> `Sampled`, which says what it is: its sample axes, its range, whether it is binary. Or plain
            numbers: (n,) one value per seed, or (n, N) per seed and test sample. Entry i of every arm is the
            same seed, entry j the same sample. Arms beyond the contrast's are ignored.

    Returns: `Differences` of sampled arms; of plain numbers an array, (n,) or (n, N), as the values.

    Raises:
        UserError: an arm is missing, arms differ in shape, some are sampled and some are not, or under `log` a value
            is not positive, or plain and per sample.
    """
    missing = [arm for arm in contrast.weights if arm not in values]
    if missing or not contrast.weights:
        raise UserError(
            f"the contrast needs values of its arms, missing {missing or 'every arm'}; there are {sorted(values)}."
        )
    sampled = {arm: one for arm in contrast.weights if isinstance(one := values[arm], Sampled)}
    if sampled:
        return _of_sampled(contrast, sampled)
    plain = cast("Mapping[str, ArrayLike]", values)
    arrays = {arm: finite_values(plain[arm], f"values of {arm!r}") for arm in contrast.weights}
    _check_shapes({arm: array.shape for arm, array in arrays.items()})
    if contrast.log:
        arrays = {arm: _logged(arm, array) for arm, array in arrays.items()}
    terms = [weight * arrays[arm] for arm, weight in contrast.weights.items()]
    return np.asarray(np.sum(terms, axis=0) + contrast.constant, dtype=np.float64)


def _of_sampled(contrast: Contrast, arms: Mapping[str, Sampled]) -> Differences:
    plain = [arm for arm in contrast.weights if arm not in arms]
    if plain:
        raise UserError(
            f"{sorted(arms)} are Sampled and {plain} are not; give every arm as Sampled(values, axes)."
        )
    _check_shapes({arm: one.values.shape for arm, one in arms.items()})
    return differences(contrast, arms)


def _check_shapes(shapes: Mapping[str, tuple[int, ...]]) -> None:
    if len(set(shapes.values())) > 1:
        raise UserError(
            f"arms are compared seed by seed, so all need the same shape, got {dict(shapes)}; "
            "run the missing seeds, or leave out those that not every arm has."
        )


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
