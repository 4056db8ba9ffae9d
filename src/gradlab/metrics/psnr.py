"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._pictures import pairs_of_images
from gradlab.metrics.arrays import Floats


def psnr(images: Any, others: Any) -> Floats:
    """Return the peak signal-to-noise ratio of every pair of images: -10 log10 of the mean squared difference.

    Args:
        images: (N, C, H, W) in [0, 1]; the peak is 1.
        others: of the same shape.
    Returns: (N,) in decibels; infinite where both images are equal, 0 for black against white.
    """
    first, second = pairs_of_images(images, others)
    error = ((first - second) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return np.asarray(-10 * np.log10(error) + 0.0, dtype=np.float64)  # + 0.0: no negative zero
