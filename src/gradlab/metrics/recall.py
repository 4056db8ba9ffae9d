"""Share of the samples of a class that are predicted as it, per class and averaged."""

from __future__ import annotations

from typing import Any

from gradlab.metrics._inputs import Floats
from gradlab.metrics._per_class import Average, average, ratio
from gradlab.metrics.confusion import confusion


def recall_per_class(predictions: Any, labels: Any, num_classes: int | None = None) -> Floats:
    """Share of the samples of a class that are predicted as it.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
    Returns: (K,) fractions in [0, 1]; 0 for a class without samples.
    """
    counts = confusion(predictions, labels, num_classes)
    return ratio(counts.diagonal(), counts.sum(axis=1))


def recall(predictions: Any, labels: Any, num_classes: int | None = None, *, how: Average = "macro") -> float:
    """Average `recall_per_class` over all K classes, also those without samples.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
        how: "macro" (classes alike) or "weighted" (by number of samples).
    Returns: a fraction in [0, 1].
    """
    counts = confusion(predictions, labels, num_classes)
    return average(recall_per_class(predictions, labels, num_classes), counts, how)
