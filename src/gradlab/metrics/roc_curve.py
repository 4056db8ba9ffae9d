"""ROC curve as points to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.metrics._accepted import accepted
from gradlab.metrics.arrays import Floats
from gradlab.types import UserError


@dataclass(frozen=True)
class RocCurve:
    """Points from (0, 0) to (1, 1); in-distribution images are the positive ones, as in `fpr_at_tpr`.

    Attributes:
        fpr: (P,) share of foreign images that are accepted, rising.
        tpr: (P,) share of in-distribution images that are accepted, rising.
    """

    fpr: Floats
    tpr: Floats


def roc_curve(in_distribution: Any, out_of_distribution: Any, *, points: int = 200) -> RocCurve:
    """Find the corners of the ROC curve, and of many as many as can be drawn, evenly along it.

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
        points: the most that are returned, at least 2; each lies on the curve, and both ends are among them.

    Raises:
        UserError: fewer than two points.
    """
    if points < 2:
        raise UserError(f"a curve has at least its two ends, got points={points}.")
    inside, outside = accepted(in_distribution, out_of_distribution)
    corners = _corners(outside, inside)
    fpr, tpr = outside[corners] / outside[-1], inside[corners] / inside[-1]
    if len(corners) > points:
        length = fpr + tpr  # from 0 to 2, and every corner lies further along than the one before
        kept = np.unique(length.searchsorted(np.linspace(0, length[-1], points)))
        fpr, tpr = fpr[kept], tpr[kept]
    return RocCurve(fpr, tpr)


def _corners(right: Any, up: Any) -> Any:
    """Return the places where a curve of whole numbers turns, both ends included."""
    steps_right, steps_up = np.diff(right), np.diff(up)
    turns = steps_right[1:] * steps_up[:-1] != steps_right[:-1] * steps_up[1:]
    return np.concatenate([[0], np.flatnonzero(turns) + 1, [len(right) - 1]])
