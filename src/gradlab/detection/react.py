"""Rectified activations: features are cut off above before the energy is taken."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features, fitting_features
from gradlab.detection.energy import energy
from gradlab.detection.head import Head
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT


def react(features: Any, head: Head, threshold: float) -> Floats:
    """Free energy after every feature is cut off at a threshold (Sun et al., 2021, arXiv:2111.12797, eq. 1).

    Args:
        features: (N, D) finite numbers. head: the last linear layer. threshold: c, in the features' unit.
    Returns: (N,) float64; larger = more out-of-distribution.

    Raises:
        UserError: no such features.
    """
    return energy(head.logits(np.minimum(checked_features(features), threshold)))


@plain(frozen=True, eq=False)
class FittedReAct:
    """The head, and the threshold at which features are cut off."""

    head: Head
    threshold: float

    def score(self, features: Any) -> Floats:
        """Score (N, D) features; see `react`."""
        return react(features, self.head, self.threshold)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ReAct:
    """Free energy of rectified features (Sun et al., 2021).

    Attributes:
        quantile: of all training features taken together, at which they are cut off.
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("features", "head")
    kind: Literal["react"] = "react"
    quantile: Annotated[float, Field(gt=0, le=1)] = 0.9

    def fit(self, features: Any, head: Head) -> FittedReAct:
        """Find the threshold.

        Args:
            features: (N, D) finite numbers, of training images. head: the last linear layer, of these features.

        Raises:
            UserError: features of test images, or no such features.
        """
        values = fitting_features(features, "ReAct")
        return FittedReAct(head, float(np.quantile(values, self.quantile)))
