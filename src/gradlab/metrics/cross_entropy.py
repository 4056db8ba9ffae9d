"""Cross-entropy loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import logits_and_labels
from gradlab.metrics._softmax import log_softmax


def cross_entropy(logits: Any, labels: Any) -> float:
    """Mean negative log-probability of the true class, without label smoothing.

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
    Returns: nats, at least 0; log K for equal logits.
    """
    scores, true = logits_and_labels(logits, labels)
    return float(-log_softmax(scores)[np.arange(len(true)), true].mean())
