"""Detection error."""

from __future__ import annotations

from typing import Any

from gradlab.metrics._accepted import accepted


def detection_error(in_distribution: Any, out_of_distribution: Any) -> float:
    """Smallest mean of both error rates over all thresholds, both sets weighed alike (Lee et al., 2018, arXiv:1807.03888).

    One error rate is the share of in-distribution images that are rejected, the other that of foreign images that are
    accepted. (Liang et al., 2018, take the mean where 95 % are accepted instead of the smallest.)

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
    Returns: a fraction in [0, 0.5]; 0 separates perfectly, and 0.5, accepting all or none, is the worst.
    """
    inside, outside = accepted(in_distribution, out_of_distribution)
    rejected, pairs = inside[-1] - inside, inside[-1] * outside[-1]
    errors = rejected * outside[-1] + outside * inside[-1]  # whole numbers: both rates times all pairs
    return float(errors.min() / (2 * pairs))
