"""A ratio of means, e.g. attack success over initially correct images, with what each sample contributes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import finite_values
from gradlab.statistics.jackknife import Influence
from gradlab.types import UserError


def ratio_samples(numerator: ArrayLike, denominator: ArrayLike) -> Influence:
    """Return sum(numerator) / sum(denominator), linearised at the value.

    Sample i contributes value + (numerator_i - value denominator_i) / mean(denominator): both sums vary with the
    samples, so the number of samples that count is no constant (the delta method; Cochran, 1977, section 2.11).

    Args:
        numerator: (N,), e.g. 1 where an image was right and the attack made it wrong.
        denominator: (N,), e.g. 1 where the image was right before the attack; its sum is positive.

    Raises:
        UserError: shapes that differ, or a denominator whose sum is not positive.
    """
    top, bottom = finite_values(numerator, "numerator"), finite_values(denominator, "denominator")
    if top.ndim != 1 or top.shape != bottom.shape:
        raise UserError(
            f"numerator and denominator must hold one number per sample each, got {top.shape} and {bottom.shape}."
        )
    if bottom.sum() <= 0:
        raise UserError(
            "the denominator sums to nothing: no sample counts, so there is no ratio; "
            "for attack success the network must be right on at least one image."
        )
    value = float(top.sum() / bottom.sum())
    return Influence(value, np.asarray(value + (top - value * bottom) / bottom.mean(), dtype=np.float64))
