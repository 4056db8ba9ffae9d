"""The wrong predictions that were made with the most confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.metrics._inputs import Floats, Integers, logits_and_labels
from gradlab.metrics._softmax import softmax
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class WorstErrors:
    """At most k wrong predictions, the most confident first: positions, classes, and probability given."""

    indices: Integers
    labels: Integers
    predictions: Integers
    confidences: Floats


def worst_errors(logits: Any, labels: Any, k: int) -> WorstErrors:
    """Find the k most confident errors; of equal confidences the earlier sample comes first.

    Args:
        logits: (N, K).
        labels: (N,) class numbers below K.
        k: at least 1; fewer come back where fewer are wrong.
    """
    if k < 1:
        raise UserError(f"k must be at least 1, got {k}.")
    scores, true = logits_and_labels(logits, labels)
    predictions = scores.argmax(axis=1)
    confidences = softmax(scores).max(axis=1)
    wrong = np.flatnonzero(predictions != true)
    chosen = wrong[np.argsort(-confidences[wrong], kind="stable")[:k]]
    return WorstErrors(chosen, true[chosen], predictions[chosen], confidences[chosen])
