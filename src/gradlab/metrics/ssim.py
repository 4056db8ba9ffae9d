"""Structural similarity of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gradlab.metrics._pictures import pairs_of_images
from gradlab.metrics.arrays import Floats
from gradlab.types import UserError

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
ROWS = 64
"""Images that are compared at once, which bounds the memory."""


def ssim(images: Any, others: Any) -> Floats:
    """Return the mean structural similarity of every pair of images (Wang et al., 2004, doi:10.1109/TIP.2003.819861).

    Equation 13 with the paper's constants, at every place where the Gaussian window of 11×11 pixels (σ = 1.5) lies inside
    the image; the mean over places and channels. In an image with a side below 11 pixels the window is the largest
    odd square that fits, so compare such values among images of one size alone.

    Args:
        images: (N, C, H, W) in [0, 1].
        others: of the same shape.
    Returns: (N,) at most 1, which equal images have; unrelated images are near 0, inverted ones below.
    """
    first, second = pairs_of_images(images, others)
    smaller = min(first.shape[2:])
    if not smaller:
        raise UserError(f"images must have at least one pixel, got shape {first.shape}.")
    weights = _gaussian(min(WINDOW, smaller - (smaller + 1) % 2))
    parts = [
        _similarity(first[start : start + ROWS], second[start : start + ROWS], weights)
        for start in range(0, len(first), ROWS)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _gaussian(size: int) -> Floats:
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * SIGMA**2))
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _similarity(first: Floats, second: Floats, weights: Floats) -> Floats:
    mean_a, mean_b = _filtered(first, weights), _filtered(second, weights)
    variance_a = _filtered(first**2, weights) - mean_a**2
    variance_b = _filtered(second**2, weights) - mean_b**2
    covariance = _filtered(first * second, weights) - mean_a * mean_b
    c1, c2 = K1**2, K2**2  # the images' range is 1
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return np.asarray((top / bottom).mean(axis=(1, 2, 3)), dtype=np.float64)


def _filtered(values: Floats, weights: Floats) -> Floats:
    """Weigh every window that lies inside (N, C, H, W); the Gaussian is a product of one along each axis."""
    for axis in (2, 3):
        values = sliding_window_view(values, len(weights), axis=axis) @ weights
    return values
