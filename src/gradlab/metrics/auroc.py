"""Area under the ROC curve."""

from __future__ import annotations

from typing import Any

from gradlab.metrics._accepted import accepted


def auroc(in_distribution: Any, out_of_distribution: Any) -> float:
    """Share of all pairs in which the out-of-distribution image has the larger score; equal scores count half.

    It is the area under the ROC curve, the same whichever set is called positive (Hanley & McNeil, 1982).

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
    Returns: a fraction in [0, 1]; 0.5 is chance, below it the score points the wrong way.
    """
    inside, outside = accepted(in_distribution, out_of_distribution)
    new = outside[1:] - outside[:-1]
    pairs = int((new * (inside[1:] + inside[:-1])).sum())  # twice: below and not above
    return pairs / (2 * int(inside[-1]) * int(outside[-1]))
