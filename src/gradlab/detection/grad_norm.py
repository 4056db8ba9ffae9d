"""Gradient norm of the last layer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features
from gradlab.detection._logits import checked_temperature, odds
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, PositiveFloat, UserError


def grad_norm(logits: Any, features: Any, temperature: float = 1.0) -> Floats:
    """Minus the L1 norm of a gradient with respect to the weights of the last linear layer (Huang et al., 2021).

    GradNorm (arXiv:2110.00218): the gradient of the cross-entropy between the uniform distribution over K classes and
    softmax(logits / T). For a linear layer it is the outer product of (p - 1/K) / T and the features, so that its norm is
    the product of both norms, exactly (their eq. 7): no backward pass is needed.

    Args:
        logits: (N, K) finite numbers, K ≥ 2. features: (N, D), what the last linear layer reads.
        temperature: T > 0.
    Returns: (N,) float64, at most 0; larger = more out-of-distribution, hence the minus.

    Raises:
        UserError: no such logits or features, or a temperature that is not positive.
    """
    inputs = checked_features(features)
    ratios, sums = odds(logits, checked_temperature(temperature))
    if len(ratios) != len(inputs):
        raise UserError(
            f"logits and features must be of the same images, got {len(ratios)} and {len(inputs)}."
        )
    probabilities = ratios / (1 + sums)[:, None]
    gaps = np.abs(probabilities - 1 / ratios.shape[1]).sum(axis=1)
    # the largest probability stands as a 0 among the ratios: put its own gap in the place of that of 0
    gaps += np.abs(1 / (1 + sums) - 1 / ratios.shape[1]) - 1 / ratios.shape[1]
    result: Floats = -gaps * np.abs(inputs).sum(axis=1) / temperature
    return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GradNorm:
    """Minus the gradient norm of the last layer (Huang et al., 2021).

    Attributes:
        temperature: divides the logits.
    """

    needs: ClassVar[tuple[str, ...]] = ("logits", "features")
    fits: ClassVar[tuple[str, ...]] = ()
    kind: Literal["grad-norm"] = "grad-norm"
    temperature: PositiveFloat = 1.0

    def score(self, logits: Any, features: Any) -> Floats:
        """Score (N, K) logits with (N, D) features; see `grad_norm`."""
        return grad_norm(logits, features, self.temperature)
