"""Expected calibration error with what each sample contributes to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import Floats, logits_and_labels
from gradlab.metrics._softmax import softmax
from gradlab.statistics import Influence, jackknife
from gradlab.types import UserError


def calibration_error_samples(logits: Any, labels: Any, *, bins: int = 15) -> Influence:
    """Return the `calibration_error` in bins of equal width with jackknife pseudo-values, one per sample.

    Where a bin's confidence and accuracy nearly agree the error has a kink, and its bias upwards stays: the
    interval is about this estimator, not about a perfectly binned truth.

    Args:
        logits: (N, K), N at least 2.
        labels: (N,) class numbers below K.
        bins: how many, at least 1.
    """
    if bins < 1:
        raise UserError(f"bins must be at least 1, got {bins}.")
    scores, true = logits_and_labels(logits, labels)
    confidence = softmax(scores).max(axis=1)
    correct = (scores.argmax(axis=1) == true).astype(np.float64)
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence, side="left")
    each = np.zeros((true.size, bins + 1))
    each[np.arange(true.size), place] = confidence - correct
    each[:, bins] = 1

    def error(sums: Floats) -> Floats:
        return np.asarray(np.abs(sums[..., :bins]).sum(axis=-1) / sums[..., bins], dtype=np.float64)

    return jackknife(error, each)
