"""Margin between the two most probable classes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab.detection._logits import odds
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT


def margin(logits: Any) -> Floats:
    """1 - (p₁ - p₂), the gap between the two largest probabilities (Scheffer et al., 2001, doi:10.1007/3-540-44816-0_31).

    Computed from what is missing to 1, so that images of which the network is very sure do not tie.

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
    Returns: (N,) float64 in [0, 1]; larger = more out-of-distribution.

    Raises:
        UserError: no such logits.
    """
    ratios, sums = odds(logits)
    result: Floats = (sums + ratios.max(axis=1)) / (1 + sums)
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Margin:
    """1 - gap between the two largest probabilities."""

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["margin"] = "margin"

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `margin`."""
        return margin(logits)
