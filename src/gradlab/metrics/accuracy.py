"""Share of correct predictions."""

from __future__ import annotations

from typing import Any

from gradlab.metrics._inputs import class_pairs


def accuracy(predictions: Any, labels: Any) -> float:
    """Share of samples whose predicted class is the true one.

    Args:
        predictions: (N,) class numbers.
        labels: (N,) class numbers.
    Returns: a fraction in [0, 1].
    """
    predicted, true, _ = class_pairs(predictions, labels, None)
    return float((predicted == true).mean())
