"""Confusion matrix in counts and in row per cent."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import Floats, Integers, class_pairs, to_numpy
from gradlab.types import UserError


def confusion(predictions: Any, labels: Any, num_classes: int | None = None) -> Integers:
    """Count how often each class was taken for each.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
    Returns: (K, K) int64; rows are true classes, columns predicted ones.
    """
    predicted, true, count = class_pairs(predictions, labels, num_classes)
    return np.bincount(true * count + predicted, minlength=count * count).reshape(count, count)


def confusion_percent(counts: Any) -> Floats:
    """Turn counts into per cent of each true class.

    Args:
        counts: (K, K) counts, true classes in rows.
    Returns: (K, K) float64; every row sums to 100, and to 0 where the class has no sample.
    """
    matrix = to_numpy(counts).astype(np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise UserError(f"counts must be a square confusion matrix, got shape {matrix.shape}.")
    sums = matrix.sum(axis=1, keepdims=True)
    percent: Floats = 100 * np.divide(matrix, sums, out=np.zeros_like(matrix), where=sums > 0)
    return percent
