"""Features and their labels brought to checked NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.data.guard import refuse_test
from gradlab.metrics.arrays import Floats, Integers, to_numpy
from gradlab.types import UserError


def checked_features(features: Any, width: int | None = None) -> Floats:
    """Return (N, D) finite features as float64; array-likes and tensors on any device are read.

    Args:
        width: D of the features that a detector was fitted to; any where None.

    Raises:
        UserError: another shape or type, or NaN or infinity.
    """
    array = to_numpy(features)
    if array.ndim != 2 or not array.shape[1] or array.dtype.kind not in "fiu":
        raise UserError(
            f"features must be numbers of shape (N, D), got shape {array.shape} and type {array.dtype}; take those of "
            "gradlab.training.outputs."
        )
    if width is not None and array.shape[1] != width:
        raise UserError(
            f"the detector was fitted to features with {width} columns, got {array.shape[1]}; take both from one layer."
        )
    if not np.isfinite(array).all():
        raise UserError(
            "features must be finite, got NaN or infinity; the network that made them has diverged."
        )
    return array.astype(np.float64)


def fitting_features(features: Any, what: str) -> Floats:
    """Return training features as `checked_features` does; those of test images are refused.

    Args:
        what: the detector, such as "Mahalanobis".

    Raises:
        UserError: features of test images, none, or no features.
    """
    refuse_test(features, f"{what}.fit")
    array = checked_features(features)
    if not len(array):
        raise UserError(f"{what} is fitted to training features, and there are none; give at least one.")
    return array


def fitting_pair(features: Any, labels: Any, what: str) -> tuple[Floats, Integers]:
    """Return training features (N, D) and their labels (N,).

    Raises:
        UserError: as above, or labels that are not one class number an image.
    """
    array, classes = fitting_features(features, what), to_numpy(labels)
    if classes.shape != array.shape[:1] or classes.dtype.kind not in "iu" or classes.min() < 0:
        raise UserError(
            f"{len(array)} features need labels of shape ({len(array)},), class numbers from 0, got shape "
            f"{classes.shape} and type {classes.dtype}."
        )
    return array, classes.astype(np.int64)
