"""Logits brought to a checked NumPy array."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics.arrays import Floats, to_numpy
from gradlab.types import UserError


def checked_logits(logits: Any) -> Floats:
    """Return (N, K) finite logits as float64; array-likes and tensors on any device are read.

    Raises:
        UserError: another shape or type, or NaN or infinity.
    """
    array = to_numpy(logits)
    if array.ndim != 2 or array.shape[1] < 2 or array.dtype.kind not in "fiu":
        raise UserError(
            f"logits must be numbers of shape (N, K) with K ≥ 2, got shape {array.shape} and type {array.dtype}."
        )
    if not np.isfinite(array).all():
        raise UserError("logits must be finite, got NaN or infinity; the model that made them has diverged.")
    return array.astype(np.float64)
