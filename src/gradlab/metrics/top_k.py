"""Share of samples whose true class is among the k best."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import logits_and_labels
from gradlab.types import UserError


def top_k(logits: Any, labels: Any, k: int = 5) -> float:
    """Share of samples with fewer than k classes above the true one; of equal logits the lower class is above.

    So `top_k(..., k=1)` is the accuracy of the argmax, and k ≥ K gives 1.

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
        k: at least 1.
    Returns: a fraction in [0, 1].
    """
    if k < 1:
        raise UserError(f"k must be at least 1, got {k}.")
    scores, true = logits_and_labels(logits, labels)
    own = scores[np.arange(len(true)), true][:, None]
    lower = np.arange(scores.shape[1])[None] < true[:, None]
    above = (scores > own) | ((scores == own) & lower)
    return float((above.sum(axis=1) < k).mean())
