"""Maximum softmax probability."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab.detection._logits import odds
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, PositiveFloat


def max_softmax(logits: Any, temperature: float = 1.0) -> Floats:
    """Probability that the class is another one than the predicted: 1 - max softmax(logits / T).

    (Hendrycks & Gimpel, 2017, arXiv:1610.02136; T of Liang et al., 2018, arXiv:1706.02690.) Summed over the other
    classes instead of subtracted from 1, so that images of which the network is very sure do not tie.

    Args:
        logits: (N, K) finite numbers, K ≥ 2; an array, lists, or a tensor on any device.
        temperature: T > 0; 1 is the plain softmax.
    Returns: (N,) float64 in [0, 1 - 1/K]; larger = more out-of-distribution.

    Raises:
        UserError: no such logits, or a temperature that is not positive.
    """
    _, sums = odds(logits, temperature)
    result: Floats = sums / (1 + sums)
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaxSoftmax:
    """1 - maximum softmax probability (Hendrycks & Gimpel, 2017).

    Attributes:
        temperature: divides the logits; chosen on validation data, never on the sets that are reported.
    """

    needs: ClassVar[tuple[str, ...]] = ("logits",)
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["max-softmax"] = "max-softmax"
    temperature: PositiveFloat = 1.0

    def score(self, logits: Any) -> Floats:
        """Score (N, K) logits; see `max_softmax`."""
        return max_softmax(logits, self.temperature)
