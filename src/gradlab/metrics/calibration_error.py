"""Expected calibration error, and the bins it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.metrics._inputs import Floats, logits_and_labels
from gradlab.metrics._softmax import softmax
from gradlab.types import UserError


@dataclass(frozen=True)
class Bin:
    """Samples of like confidence: how many, their mean confidence, and the share that is correct."""

    count: int
    confidence: float
    accuracy: float


def calibration_bins(logits: Any, labels: Any, *, bins: int = 15, adaptive: bool = False) -> list[Bin]:
    """Group samples by the probability of their predicted class; empty bins are left out.

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
        bins: how many, at least 1.
        adaptive: bins of (nearly) equal count (Nixon et al., 2019, arXiv:1904.01685) instead of equal width ((m-1)/M,
            m/M] (Guo et al., 2017, arXiv:1706.04599).
    """
    if bins < 1:
        raise UserError(f"bins must be at least 1, got {bins}.")
    scores, true = logits_and_labels(logits, labels)
    confidence = softmax(scores).max(axis=1)
    correct = (scores.argmax(axis=1) == true).astype(np.float64)
    if adaptive:
        # sorted by both, so that the order of the samples does not matter where confidences are equal
        groups = np.array_split(np.lexsort((correct, confidence)), bins)
    else:
        place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence, side="left")
        groups = [np.flatnonzero(place == m) for m in range(bins)]
    return [_bin(confidence[group], correct[group]) for group in groups if len(group)]


def _bin(confidence: Floats, correct: Floats) -> Bin:
    return Bin(len(confidence), float(confidence.mean()), float(correct.mean()))


def calibration_error(logits: Any, labels: Any, *, bins: int = 15, adaptive: bool = False) -> float:
    """Mean distance between confidence and accuracy over bins, weighted by their counts (eq. 3 of Guo et al.).

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
        bins: how many, at least 1.
        adaptive: bins of equal count instead of equal width.
    Returns: a fraction in [0, 1]; 0 is perfectly calibrated.
    """
    groups = calibration_bins(logits, labels, bins=bins, adaptive=adaptive)
    total = sum(group.count for group in groups)
    return sum(group.count * abs(group.accuracy - group.confidence) for group in groups) / total
