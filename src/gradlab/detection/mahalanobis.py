"""Mahalanobis distance of features to the nearest class."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features, fitting_pair
from gradlab.metrics.arrays import Floats, Integers
from gradlab.types import STRICT

BLOCK = 8_192
"""Images whose differences to a class mean are held at a time."""
SMALLEST = 1e-10
"""Share of the largest eigenvalue below which a direction of the covariance counts as having no spread."""


@plain(frozen=True, eq=False)
class Gaussians:
    """Class means under one covariance.

    Attributes:
        means: (K, D) of the classes, whitened. whiten: (D, R): distances of `features @ whiten` are Mahalanobis distances.
    """

    means: Floats
    whiten: Floats

    def nearest(self, features: Any) -> Floats:
        """Return the squared Mahalanobis distance to the nearest mean, (N,) float64."""
        values = checked_features(features, len(self.whiten))
        found = np.full(len(values), np.inf)
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK] @ self.whiten
            part = found[start : start + BLOCK]
            for mean in self.means:
                np.minimum(part, np.square(block - mean).sum(axis=1), out=part)
        return found


def gaussians(features: Floats, groups: Integers) -> Gaussians:
    """Fit one mean a group and one covariance of all features about their group's mean, divided by N.

    Directions in which the features do not vary are left out, as the pseudo-inverse does.

    Args:
        features: (N, D) float64. groups: (N,) int64; groups without an image are left out.
    """
    numbers, place = np.unique(groups, return_inverse=True)
    means = np.stack([features[groups == one].mean(axis=0) for one in numbers])
    covariance = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        apart = features[rows] - means[place[rows]]
        covariance += apart.T @ apart
    values, vectors = np.linalg.eigh(covariance / len(features))
    kept = values > SMALLEST * max(values[-1], np.finfo(np.float64).tiny)
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    return Gaussians(means @ whiten, whiten)


@plain(frozen=True, eq=False)
class FittedMahalanobis:
    """Class means and the covariance that they share, fitted to training features."""

    classes: Gaussians

    def score(self, features: Any) -> Floats:
        """Return (N,) float64, at least 0, for (N, D) features; larger = more out-of-distribution."""
        return self.classes.nearest(features)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mahalanobis:
    """Squared Mahalanobis distance to the nearest class mean (Lee et al., 2018, arXiv:1807.03888, eq. 2).

    One mean a class and one covariance for all, of the features of one layer. The paper's perturbation of the input and
    its weighted sum over layers are left out: both are tuned on foreign data.
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("features", "labels")
    kind: Literal["mahalanobis"] = "mahalanobis"

    def fit(self, features: Any, labels: Any) -> FittedMahalanobis:
        """Fit to training features.

        Args:
            features: (N, D) finite numbers, of training images. labels: (N,) class numbers.

        Raises:
            UserError: features of test images, or no such features or labels.
        """
        return FittedMahalanobis(gaussians(*fitting_pair(features, labels, "Mahalanobis")))
