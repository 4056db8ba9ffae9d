"""Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import logits_and_labels
from gradlab.metrics._softmax import softmax


def brier(logits: Any, labels: Any) -> float:
    """Mean squared distance of the probabilities from the one-hot truth, summed over classes (Brier, 1950).

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
    Returns: a number in [0, 2]; 0 is perfect, 1 - 1/K for equal logits.
    """
    scores, true = logits_and_labels(logits, labels)
    distance = softmax(scores)
    distance[np.arange(len(true)), true] -= 1
    return float((distance**2).sum(axis=1).mean())
