"""All scores that are one number, with unit and direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from gradlab.metrics._inputs import logits_and_labels
from gradlab.metrics.accuracy import accuracy
from gradlab.metrics.brier import brier
from gradlab.metrics.calibration_error import calibration_error
from gradlab.metrics.cross_entropy import cross_entropy
from gradlab.metrics.f1 import f1
from gradlab.metrics.precision import precision
from gradlab.metrics.recall import recall
from gradlab.metrics.top_k import top_k


@dataclass(frozen=True)
class Metric:
    """One score.

    Attributes:
        title: as a report prints it.
        unit: "fraction" (in [0, 1]), "nats", or "squared probability" (in [0, 2]).
        better: which direction is better.
        needs: what `score` takes beside labels: (N,) predicted classes, or (N, K) logits.
        score: the pure function; per-class ones take the number of classes as third argument.
    """

    title: str
    unit: Literal["fraction", "nats", "squared probability"]
    better: Literal["higher", "lower"]
    needs: Literal["predictions", "predictions and classes", "logits"]
    score: Callable[..., float]

    def __call__(self, logits: Any, labels: Any) -> float:
        """Score (N, K) logits against (N,) labels; the predicted class is the argmax."""
        if self.needs == "logits":
            return self.score(logits, labels)
        scores, true = logits_and_labels(logits, labels)
        count = () if self.needs == "predictions" else (scores.shape[1],)
        return self.score(scores.argmax(axis=1), true, *count)


_CLASSES: Literal["predictions and classes"] = "predictions and classes"
METRICS: dict[str, Metric] = {
    "cross_entropy": Metric("loss (cross-entropy)", "nats", "lower", "logits", cross_entropy),
    "accuracy": Metric("accuracy", "fraction", "higher", "predictions", accuracy),
    "top_5": Metric("top-5 accuracy", "fraction", "higher", "logits", partial(top_k, k=5)),
    "precision_macro": Metric(
        "precision (macro)", "fraction", "higher", _CLASSES, partial(precision, how="macro")
    ),
    "precision_weighted": Metric(
        "precision (weighted)", "fraction", "higher", _CLASSES, partial(precision, how="weighted")
    ),
    "recall_macro": Metric("recall (macro)", "fraction", "higher", _CLASSES, partial(recall, how="macro")),
    "recall_weighted": Metric(
        "recall (weighted)", "fraction", "higher", _CLASSES, partial(recall, how="weighted")
    ),
    "f1_macro": Metric("F1 (macro)", "fraction", "higher", _CLASSES, partial(f1, how="macro")),
    "f1_weighted": Metric("F1 (weighted)", "fraction", "higher", _CLASSES, partial(f1, how="weighted")),
    "calibration_error": Metric(
        "expected calibration error", "fraction", "lower", "logits", calibration_error
    ),
    "brier": Metric("Brier score", "squared probability", "lower", "logits", brier),
}


def evaluate(logits: Any, labels: Any) -> dict[str, float]:
    """Compute every registered score.

    Args:
        logits: (N, K), finite.
        labels: (N,) class numbers below K.
    Returns: name -> value, in the registry's order.
    """
    scores, true = logits_and_labels(logits, labels)
    return {name: metric(scores, true) for name, metric in METRICS.items()}
