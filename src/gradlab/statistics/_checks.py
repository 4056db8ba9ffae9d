"""Checks at the public doors of the statistics, each said once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlab.types import UserError

Floats: TypeAlias = NDArray[np.float64]


def finite_values(values: ArrayLike, name: str) -> Floats:
    """Return `values` as float64 of shape (n,) or (n, N), every one finite, n and N at least 1.

    Args:
        values: one number per seed (n,), or per seed and test sample (n, N); booleans count as 0 and 1.
        name: what the values are called in the error.

    Raises:
        UserError: other shape, nothing in it, text, or a value that is NaN or infinite.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} must be numbers in a regular array, got {values!r:.60}.") from error
    if array.ndim not in (1, 2) or array.size == 0:
        raise UserError(
            f"{name} must have shape (seeds,) or (seeds, test samples), got shape {array.shape}; "
            "give a list with one number per seed, or one row per seed."
        )
    if not np.isfinite(array).all():
        raise UserError(
            f"{name} holds a value that is NaN or infinite; a diverged run enters with the value "
            "of its best weights, or of chance."
        )
    return array


def check_level(level: float, name: str = "level") -> None:
    """Refuse a level, power or alpha outside (0, 1)."""
    if not 0 < level < 1:
        raise UserError(
            f"{name} must lie strictly between 0 and 1, got {level:g}; for 95 percent write 0.95."
        )


def check_delta(delta: float) -> None:
    """Refuse a smallest effect that is not a positive, finite number."""
    if not 0 < delta < np.inf:
        raise UserError(
            f"delta must be a positive number, got {delta:g}; it is the smallest difference that matters, "
            "in the measure's own unit, e.g. 0.01 for one point of accuracy."
        )


def check_count(value: int, name: str) -> None:
    """Refuse a count below 1."""
    if isinstance(value, bool) or value != int(value) or value < 1:
        raise UserError(f"{name} must be a whole number, at least 1, got {value}.")
