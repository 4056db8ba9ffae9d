"""The area under the ROC curve with what each in-distribution and each foreign sample contributes to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.metrics._inputs import Floats, to_numpy
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class TwoSamples:
    """A measure of two independent samples, and what each of their members contributes.

    `in_distribution` (N,) and `out_of_distribution` (M,) both have the value as their mean; the variances of both,
    divided by N and M, add up to that of the value.
    """

    value: float
    in_distribution: Floats
    out_of_distribution: Floats


def auroc_samples(in_scores: Any, out_scores: Any) -> TwoSamples:
    """Return the area under the ROC curve by its placements; a tie counts one half.

    The placement of a foreign sample is the share of in-distribution samples that score lower, that of an
    in-distribution sample the share of foreign ones that score higher (DeLong et al., 1988, doi:10.2307/2531595).
    Sorting does it: O((N + M) log(N + M)).

    Args:
        in_scores: (N,) of in-distribution samples; a larger score means more out-of-distribution.
        out_scores: (M,) of foreign samples.

    Returns: value in [0, 1]; 1 where every foreign sample scores higher than every other.
    """
    inside, outside = score_vector(in_scores, "in_scores"), score_vector(out_scores, "out_scores")
    of_out, of_in = _share_below(inside, outside), 1 - _share_below(outside, inside)
    return TwoSamples(float(of_out.mean()), of_in, of_out)


def _share_below(among: Floats, scores: Floats) -> Floats:
    """Share of `among` that lies below each score, ties counted half."""
    ordered = np.sort(among)
    below, not_above = (np.searchsorted(ordered, scores, side) for side in ("left", "right"))
    return np.asarray((below + not_above) / (2 * ordered.size), dtype=np.float64)


def score_vector(scores: Any, name: str) -> Floats:
    """Check scores: (N,), at least one, every one finite."""
    array = to_numpy(scores)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "fiub":
        raise UserError(f"{name} must be one number per sample, (N,) with N ≥ 1, got shape {array.shape}.")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise UserError(f"{name} holds a score that is NaN or infinite; fix the detector or leave it out.")
    return values
