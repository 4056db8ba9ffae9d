"""Mahalanobis distance to the nearest class, less that to all training images."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._features import fitting_pair
from gradlab.detection.mahalanobis import Gaussians, gaussians
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT


@plain(frozen=True, eq=False)
class FittedRelativeMahalanobis:
    """Class means with their covariance, and one Gaussian for all training features."""

    classes: Gaussians
    background: Gaussians

    def score(self, features: Any) -> Floats:
        """Return (N,) float64 for (N, D) features; larger = more out-of-distribution."""
        found: Floats = self.classes.nearest(features) - self.background.nearest(features)
        return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RelativeMahalanobis:
    """Mahalanobis distance to the nearest class less that to one Gaussian of all (Ren et al., 2021, arXiv:2106.09022, eq. 2)."""

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("features", "labels")
    kind: Literal["relative-mahalanobis"] = "relative-mahalanobis"

    def fit(self, features: Any, labels: Any) -> FittedRelativeMahalanobis:
        """Fit to training features.

        Args:
            features: (N, D) finite numbers, of training images. labels: (N,) class numbers.

        Raises:
            UserError: features of test images, or no such features or labels.
        """
        values, groups = fitting_pair(features, labels, "RelativeMahalanobis")
        return FittedRelativeMahalanobis(gaussians(values, groups), gaussians(values, np.zeros_like(groups)))
