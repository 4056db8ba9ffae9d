"""Class numbers and logits, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics.arrays import Floats as Floats
from gradlab.metrics.arrays import Integers as Integers
from gradlab.metrics.arrays import to_numpy as to_numpy
from gradlab.types import UserError


def classes(values: Any, what: str) -> Integers:
    """Check class numbers: (N,) integers, N ≥ 1, none negative."""
    array = to_numpy(values)
    if array.ndim != 1 or len(array) == 0 or array.dtype.kind not in "iu":
        raise UserError(
            f"{what} must be class numbers of shape (N,) with N ≥ 1 and an integer type, "
            f"got shape {array.shape} and type {array.dtype}."
        )
    array = array.astype(np.int64)
    if array.min() < 0:
        raise UserError(f"{what} must be class numbers from 0, got {array.min()}.")
    return array


def class_pairs(predictions: Any, labels: Any, num_classes: int | None) -> tuple[Integers, Integers, int]:
    """Check predicted and true classes of the same N samples; returns them and the number of classes."""
    predicted, true = classes(predictions, "predictions"), classes(labels, "labels")
    if len(predicted) != len(true):
        raise UserError(
            f"predictions and labels must have the same length, got {len(predicted)} and {len(true)}."
        )
    highest = int(max(predicted.max(), true.max()))
    count = highest + 1 if num_classes is None else num_classes
    if highest >= count:
        raise UserError(f"With {count} classes all class numbers lie below {count}, got {highest}.")
    return predicted, true, count


def logits_and_labels(logits: Any, labels: Any) -> tuple[Floats, Integers]:
    """Check (N, K) finite logits and (N,) labels in [0, K)."""
    scores, true = to_numpy(logits), classes(labels, "labels")
    if scores.ndim != 2 or len(scores) != len(true) or scores.dtype.kind not in "fiu":
        raise UserError(
            f"logits must be numbers of shape ({len(true)}, K), one row per label, got shape {scores.shape} "
            f"and type {scores.dtype}."
        )
    if true.max() >= scores.shape[1]:
        raise UserError(
            f"labels must lie below the {scores.shape[1]} columns of the logits, got {true.max()}."
        )
    if not np.isfinite(scores).all():
        raise UserError("logits must be finite, got NaN or infinity; the model that made them has diverged.")
    return scores.astype(np.float64), true
