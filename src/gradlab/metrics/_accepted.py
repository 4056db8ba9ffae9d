"""How many images of each set a detector takes for in-distribution, at every threshold that makes a difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics.arrays import Floats, Integers, to_numpy
from gradlab.types import UserError


def accepted(in_distribution: Any, out_of_distribution: Any) -> tuple[Integers, Integers]:
    """Count scores up to each distinct value, first none and last all; equal scores are accepted together.

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
    Returns: (T + 1,) counts of the N and of the M, for T distinct values.

    Raises:
        UserError: no such scores, or NaN.
    """
    inside = _scores(in_distribution, "in-distribution")
    outside = _scores(out_of_distribution, "out-of-distribution")
    values, place = np.unique(np.concatenate([inside, outside]), return_inverse=True)
    counts = [
        np.concatenate([[0], np.cumsum(np.bincount(part, minlength=len(values)))]).astype(np.int64)
        for part in (place[: len(inside)], place[len(inside) :])
    ]
    return counts[0], counts[1]


def _scores(values: Any, what: str) -> Floats:
    array = to_numpy(values)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "fiub":
        raise UserError(
            f"{what} scores must be numbers of shape (N,) with N ≥ 1, got shape {array.shape} and type {array.dtype}."
        )
    array = array.astype(np.float64)
    if np.isnan(array).any():
        raise UserError(
            f"{what} scores must not contain NaN, got {int(np.isnan(array).sum())} of {len(array)}."
        )
    return array
