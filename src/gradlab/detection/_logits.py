"""Logits brought to a checked NumPy array, and their probabilities, the largest apart."""

from __future__ import annotations

import math
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


def checked_temperature(temperature: float) -> float:
    """Return a temperature.

    Raises:
        UserError: it is not a positive number.
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise UserError(f"temperature must be a positive number, got {temperature}; 1 is the plain softmax.")
    return temperature


def odds(logits: Any, temperature: float = 1.0) -> tuple[Floats, Floats]:
    """Return every class's probability divided by the largest, 0 in the place of the largest itself, and their sums.

    With r the (N, K) ratios and s the (N,) sums, the largest probability is 1 / (1 + s) and the others r / (1 + s): what
    is small stays exact, so that images of which the network is very sure do not tie.
    """
    scaled = checked_logits(logits) / checked_temperature(temperature)
    place = scaled.argmax(axis=1)[:, None]
    ratios = np.exp(scaled - np.take_along_axis(scaled, place, axis=1))
    np.put_along_axis(ratios, place, 0.0, axis=1)
    return ratios, ratios.sum(axis=1)
