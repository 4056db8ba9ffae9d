"""One row per class: samples, precision, recall, F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.metrics.confusion import confusion
from gradlab.metrics.f1 import f1_per_class
from gradlab.metrics.precision import precision_per_class
from gradlab.metrics.recall import recall_per_class


@dataclass(frozen=True)
class ClassRow:
    """Scores of one class; all fractions in [0, 1]."""

    name: str
    samples: int
    precision: float
    recall: float
    f1: float


def per_class(predictions: Any, labels: Any, class_names: Sequence[str]) -> list[ClassRow]:
    """Score every class by itself.

    Args:
        predictions: (N,) class numbers below K.
        labels: (N,) class numbers below K.
        class_names: K names in label order.
    """
    count = len(class_names)
    samples = confusion(predictions, labels, count).sum(axis=1)
    columns = (
        precision_per_class(predictions, labels, count),
        recall_per_class(predictions, labels, count),
        f1_per_class(predictions, labels, count),
    )
    return [
        ClassRow(name, int(n), float(p), float(r), float(f))
        for name, n, p, r, f in zip(class_names, samples, *columns, strict=True)
    ]
