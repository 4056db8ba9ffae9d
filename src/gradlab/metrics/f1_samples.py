"""Macro F1 with what each sample contributes to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.metrics._inputs import to_numpy
from gradlab.metrics._per_class import ratio
from gradlab.metrics.confusion import confusion
from gradlab.statistics import Influence, pseudo_values
from gradlab.types import UserError


def f1_samples(predictions: Any, labels: Any, num_classes: int | None = None) -> Influence:
    """Return the macro `f1` with jackknife pseudo-values, one per sample.

    Samples of the same label and prediction have the same one, so that there are at most K squared to compute.

    Args:
        predictions: (N,) class numbers, N at least 2.
        labels: (N,) class numbers.
        num_classes: K; the highest class number + 1 where not given.
    """
    counts = confusion(predictions, labels, num_classes)
    classes = len(counts)
    one = np.arange(classes)
    cells, of_sample = np.unique(to_numpy(labels) * classes + to_numpy(predictions), return_inverse=True)
    if of_sample.size < 2:
        raise UserError("leaving one sample out needs two samples or more, got 1.")
    hits, sums = 2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1)
    without = [
        ratio(hits - 2 * (one == true) * (one == predicted), sums - (one == true) - (one == predicted)).mean()
        for true, predicted in zip(*np.divmod(cells, classes), strict=True)
    ]
    value = float(ratio(hits, sums).mean())
    return Influence(value, pseudo_values(value, np.array(without)[of_sample]))
