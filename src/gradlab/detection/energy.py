"""Free energy of the logits."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._logits import checked_logits, checked_temperature
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, PositiveFloat


def energy(logits: Any, temperature: float = 1.0) -> Floats:
    """Free energy -T log Σ exp(logit / T) (Liu et al., 2020, arXiv:2010.03759, eq. 4).

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
        temperature: T > 0.
    Returns: (N,) float64; larger = more out-of-distribution.

    Raises:
        UserError: no such logits, or a temperature that is not positive.
    """
    scaled = checked_logits(logits) / checked_temperature(temperature)
    if not len(scaled):
        return np.empty(0)
    largest = scaled.max(axis=1)
    result: Floats = -temperature * (largest + np.log(np.exp(scaled - largest[:, None]).sum(axis=1)))
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Energy:
    """Free energy of the logits (Liu et al., 2020).

    Attributes:
        temperature: divides the logits; 1 is the paper's own choice.
    """

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["energy"] = "energy"
    temperature: PositiveFloat = 1.0

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `energy`."""
        return energy(logits, self.temperature)
