"""False positive rate at a true positive rate."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Literal

from gradlab.metrics._accepted import accepted
from gradlab.types import UserError


def fpr_at_tpr(
    in_distribution: Any,
    out_of_distribution: Any,
    *,
    tpr: float = 0.95,
    positive: Literal["in", "out"] = "in",
) -> float:
    """Share of negative images called positive by the strictest threshold that finds `tpr` of the positive ones.

    With `positive="in"`, as the literature on out-of-distribution detection has it since Liang et al. (2018): how many
    foreign images are accepted where at least 95 % of in-distribution images are. With "out": how many in-distribution
    images are rejected where at least 95 % of foreign ones are. The two differ.

    Args:
        in_distribution: (N,) scores, N ≥ 1; larger = more out-of-distribution.
        out_of_distribution: (M,) scores, M ≥ 1.
        tpr: in (0, 1].
        positive: which set is positive.
    Returns: a fraction in [0, 1]; 0 is best.

    Raises:
        UserError: a tpr outside (0, 1], or another word for the positive set.
    """
    if not 0 < tpr <= 1:
        raise UserError(f"tpr must lie in (0, 1], got {tpr}; 95 % is 0.95.")
    if positive not in ("in", "out"):
        raise UserError(f"positive names the positive set, 'in' or 'out', got {positive!r}.")
    inside, outside = accepted(in_distribution, out_of_distribution)
    if positive == "in":
        found, wrong = inside, outside
    else:
        found, wrong = outside[-1] - outside[::-1], inside[-1] - inside[::-1]
    needed = math.ceil(Fraction(str(tpr)) * int(found[-1]))  # 0.95 of 20 is 19, not 19.000000000000004
    return float(wrong[found.searchsorted(needed)] / wrong[-1])
