"""Ratios per class from a confusion matrix, and their averages; 0/0 counts as 0, as in scikit-learn."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gradlab.metrics._inputs import Floats, Integers

Average = Literal["macro", "weighted"]


def ratio(numerator: Floats | Integers, denominator: Floats | Integers) -> Floats:
    """Divide element by element; 0 where the denominator is 0."""
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    result: Floats = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    return result


def average(scores: Floats, counts: Integers, how: Average) -> float:
    """Average scores per class: all classes alike, or weighted by their number of samples."""
    if how == "macro":
        return float(scores.mean())
    support = counts.sum(axis=1)
    return float((scores * support).sum() / support.sum())
