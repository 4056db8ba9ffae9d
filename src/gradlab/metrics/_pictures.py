"""Two batches of images, checked."""

from __future__ import annotations

from typing import Any

from gradlab.metrics.arrays import Floats, to_numpy
from gradlab.types import UserError

SLACK = 1e-6
"""How far rounding may carry a pixel out of [0, 1]."""


def pairs_of_images(images: Any, others: Any) -> tuple[Floats, Floats]:
    """Check two batches of images (N, C, H, W) in [0, 1] of one shape, and return them as float64."""
    first, second = (_images(one) for one in (images, others))
    if first.shape != second.shape:
        raise UserError(f"both batches of images must have one shape, got {first.shape} and {second.shape}.")
    return first, second


def _images(values: Any) -> Floats:
    array = to_numpy(values)
    if array.ndim != 4 or array.dtype.kind != "f":
        raise UserError(
            "images must be floats in [0, 1] of shape (N, C, H, W), "
            f"got shape {array.shape} and type {array.dtype}; turn grey levels 0..255 into images / 255."
        )
    if array.size and not (array.min() >= -SLACK and array.max() <= 1 + SLACK):  # NaN fails as well
        raise UserError(f"images must lie in [0, 1], got {array.min():.3g} to {array.max():.3g}.")
    return array.astype("float64")
