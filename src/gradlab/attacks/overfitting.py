"""What the robust accuracy on validation images, epoch by epoch, says about overfitting to an attack."""

from __future__ import annotations

import math
from collections.abc import Sequence

COLLAPSE, POINTS = 0.5, 0.1
"""A collapse loses at least half of the best robust accuracy, and ten points."""


def collapse_epoch(robust: Sequence[float]) -> int | None:
    """Return the first epoch, from 1, at which robust accuracy has collapsed; None where it has not.

    That is how catastrophic overfitting shows (Wong, Rice & Kolter, 2020, arXiv:2001.03994, section 5.4): the accuracy
    under the training attack goes on rising while that under PGD falls to nearly nothing within an epoch or two.

    Args:
        robust: robust accuracy on validation images by epoch, in [0, 1]; NaN where it was not measured.

    >>> collapse_epoch([0.2, 0.3, 0.28, 0.02])
    4
    >>> collapse_epoch([0.2, 0.3, 0.28, 0.25])
    """
    best = 0.0
    for epoch, value in enumerate(robust, 1):
        if best - value >= POINTS and value <= COLLAPSE * best:
            return epoch
        best = max(best, value) if math.isfinite(value) else best
    return None


def robust_overfitting(robust: Sequence[float]) -> float:
    """Return by how much the last robust accuracy lies below the best one (Rice, Wong & Kolter, 2020, arXiv:2002.11569).

    Args:
        robust: robust accuracy on validation images by epoch, in [0, 1].

    Returns: a share of images, at least 0; NaN where nothing was measured at the end.

    >>> round(robust_overfitting([0.3, 0.5, 0.4]), 3)
    0.1
    """
    if not robust or not math.isfinite(robust[-1]):
        return math.nan
    return max(value for value in robust if math.isfinite(value)) - robust[-1]
