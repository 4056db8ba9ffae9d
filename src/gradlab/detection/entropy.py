"""Entropy of the softmax."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._logits import odds
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT


def entropy(logits: Any) -> Floats:
    """Shannon entropy of softmax(logits), in nats.

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
    Returns: (N,) float64 in [0, log K]; larger = more out-of-distribution.

    Raises:
        UserError: no such logits.
    """
    ratios, sums = odds(logits)
    logs = np.log(ratios, out=np.zeros_like(ratios), where=ratios > 0)
    # with p = r / (1 + s): -Σ p log p = log(1 + s) - Σ r log r / (1 + s), the largest having r = 1
    result: Floats = np.log1p(sums) - (ratios * logs).sum(axis=1) / (1 + sums)
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Entropy:
    """Entropy of the softmax."""

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["entropy"] = "entropy"

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `entropy`."""
        return entropy(logits)
