"""Softmax without overflow."""

from __future__ import annotations

import numpy as np

from gradlab.metrics._inputs import Floats


def log_softmax(logits: Floats) -> Floats:
    """Return log-probabilities of (N, K) logits, row by row."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def softmax(logits: Floats) -> Floats:
    """Return probabilities of (N, K) logits, row by row."""
    probabilities: Floats = np.exp(log_softmax(logits))
    return probabilities
