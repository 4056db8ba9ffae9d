"""Harmonic mean of precision and recall, per class and averaged."""

from __future__ import annotations

from typing import Any

from gradlab.metrics._inputs import Floats
from gradlab.metrics._per_class import Average, average, ratio
from gradlab.metrics.confusion import confusion


def f1_per_class(predictions: Any, labels: Any, num_classes: int | None = None) -> Floats:
    """Harmonic mean of precision and recall.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
    Returns: (K,) fractions in [0, 1]; 0 for a class that neither occurs nor is predicted.
    """
    counts = confusion(predictions, labels, num_classes)
    return ratio(2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1))


def f1(predictions: Any, labels: Any, num_classes: int | None = None, *, how: Average = "macro") -> float:
    """Average `f1_per_class` over all K classes, also those without samples.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
        how: "macro" (classes alike) or "weighted" (by number of samples).
    Returns: a fraction in [0, 1].
    """
    counts = confusion(predictions, labels, num_classes)
    return average(f1_per_class(predictions, labels, num_classes), counts, how)
