"""Generalised entropy of the softmax."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection._logits import odds
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, Count, UserError


def generalised_entropy(logits: Any, gamma: float, top: int) -> Floats:
    """Σ p^γ (1 - p)^γ over the M largest probabilities (GEN; Liu et al., 2023, CVPR, eq. 6).

    A small γ makes it sensitive to small probabilities, which the entropy hardly sees.

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
        gamma: γ in (0, 1). top: M; all K classes where there are fewer.
    Returns: (N,) float64, at least 0; larger = more out-of-distribution.

    Raises:
        UserError: no such logits, a γ outside (0, 1), or no class to sum over.
    """
    if not 0 < gamma < 1 or top < 1 or int(top) != top:
        raise UserError(
            f"gamma must lie in (0, 1) and top be a whole number from 1, got {gamma} and {top}; the paper takes 0.1."
        )
    top = int(top)
    ratios, sums = odds(logits)
    share = ratios / (1 + sums)[:, None]
    first = (sums**gamma) / (1 + sums) ** (
        2 * gamma
    )  # of the largest: p = 1 / (1 + s) and 1 - p = s / (1 + s)
    others = np.sort(share, axis=1)[:, ::-1][:, : max(0, min(top, share.shape[1]) - 1)]
    result: Floats = first + (others**gamma * (1 - others) ** gamma).sum(axis=1)
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GEN:
    """Generalised entropy (Liu et al., 2023).

    Attributes:
        gamma: the exponent. top: over how many of the largest probabilities it sums.
    """

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["gen"] = "gen"
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1
    top: Count = 100

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `generalised_entropy`."""
        return generalised_entropy(logits, self.gamma, self.top)
