"""The area under the precision-recall curve with what each sample contributes to it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradlab.metrics._inputs import Floats
from gradlab.metrics.auroc_samples import TwoSamples, score_vector
from gradlab.statistics import pseudo_values
from gradlab.types import UserError


def average_precision_samples(
    in_scores: Any, out_scores: Any, *, positive: Literal["out", "in"] = "out"
) -> TwoSamples:
    """Return the average precision (AUPR) with jackknife pseudo-values of both samples.

    It is the mean over positives of the precision at their score, as in scikit-learn. Leaving one sample out
    lowers the counts at and below its score alone, so running sums give all leave-one-out values at once:
    O((N + M) log(N + M)).

    Args:
        in_scores: (N,) of in-distribution samples, N at least 2; a larger score means more out-of-distribution.
        out_scores: (M,) of foreign samples, M at least 2.
        positive: which of them is to be found; "in" takes the smallest scores first.
    """
    inside, outside = score_vector(in_scores, "in_scores"), score_vector(out_scores, "out_scores")
    if min(inside.size, outside.size) < 2:
        raise UserError(
            f"leaving one sample out needs two of each, got {inside.size} in- and {outside.size} out-of-distribution."
        )
    found, others = (outside, inside) if positive == "out" else (-inside, -outside)
    value, without_found, without_others = _leave_one_out(found, others)
    of_found, of_others = pseudo_values(value, without_found), pseudo_values(value, without_others)
    return TwoSamples(value, *((of_others, of_found) if positive == "out" else (of_found, of_others)))


def _leave_one_out(positives: Floats, negatives: Floats) -> tuple[float, Floats, Floats]:
    """Average precision, without each positive (P,), and without each negative (Q,).

    Equal scores form one group g, highest first, with p_g positives; TP and FP count down to its end. The sum over
    groups of p_g TP / (TP + FP) changes at and below the group of what is left out.
    """
    _, group = np.unique(-np.concatenate([positives, negatives]), return_inverse=True)
    of_positive, of_negative = group[: positives.size], group[positives.size :]
    count = int(group.max()) + 1
    here = np.bincount(of_positive, minlength=count).astype(np.float64)
    hits = np.cumsum(here)
    found = np.cumsum(np.bincount(group, minlength=count)).astype(np.float64)
    whole = here * hits / found
    above = np.cumsum(whole) - whole
    fewer_hits = here * _over(hits - 1, found - 1)
    fewer_others = here * _over(hits, found - 1)
    without_positive = above + _at_and_below(fewer_hits) - _over(hits - 1, found - 1)
    without_negative = above + _at_and_below(fewer_others)
    return (
        float(whole.sum() / positives.size),
        without_positive[of_positive] / (positives.size - 1),
        without_negative[of_negative] / positives.size,
    )


def _over(top: Floats, bottom: Floats) -> Floats:
    """Quotient, 0 where nothing is left below the line."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _at_and_below(of_group: NDArray[np.float64]) -> Floats:
    return np.asarray(np.cumsum(of_group[::-1])[::-1], dtype=np.float64)
