"""Maximum logit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab.detection._logits import checked_logits
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT


def max_logit(logits: Any) -> Floats:
    """Minus the largest logit (Hendrycks et al., 2022, arXiv:1911.11132): unlike the softmax it knows the logits' scale.

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
    Returns: (N,) float64; larger = more out-of-distribution, hence the minus.

    Raises:
        UserError: no such logits.
    """
    result: Floats = -checked_logits(logits).max(axis=1)
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaxLogit:
    """Minus the largest logit (Hendrycks et al., 2022)."""

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["max-logit"] = "max-logit"

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `max_logit`."""
        return max_logit(logits)
