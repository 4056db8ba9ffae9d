"""Distance to the k-th nearest training image, in feature space."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features, fitting_features
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, Count, UserError

BLOCK_NUMBERS = 2**25
"""Similarities that are held at a time: 128 MiB."""


@plain(frozen=True, eq=False)
class FittedKNN:
    """Training features of length 1, (N, D) float32, and the number of the neighbour that counts."""

    bank: NDArray[np.float32]
    k: int

    def score(self, features: Any) -> Floats:
        """Return the distance to the k-th nearest training image, (M,) float64 in [0, 2], for (M, D) features.

        The search is exhaustive, in blocks: which training image is the k-th nearest is found by inner products in
        float32, and its distance is then computed in float64. Larger = more out-of-distribution.
        """
        values = unit_length(checked_features(features, self.bank.shape[1]))
        size = max(1, BLOCK_NUMBERS // len(self.bank))
        found = np.empty(len(values))
        for start in range(0, len(values), size):
            block = values[start : start + size]
            similar = block.astype(np.float32) @ self.bank.T
            place = np.argpartition(similar, len(self.bank) - self.k, axis=1)[:, len(self.bank) - self.k]
            found[start : start + size] = np.linalg.norm(block - self.bank[place], axis=1)
        return found


def unit_length(features: Floats) -> Floats:
    """Divide each row by its Euclidean length; a row of zeros stays one."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Floats = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
    return scaled


@dataclass(frozen=True, kw_only=True, config=STRICT)
class KNN:
    """Distance to the k-th nearest training image (Sun et al., 2022, arXiv:2204.06507): features of length 1, Euclidean.

    Attributes:
        k: which neighbour; the paper takes 50 for CIFAR-10.
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("features",)
    kind: Literal["knn"] = "knn"
    k: Count = 50

    def fit(self, features: Any) -> FittedKNN:
        """Keep training features.

        Args:
            features: (N, D) finite numbers, of training images, N ≥ k.

        Raises:
            UserError: features of test images, no such features, or fewer than k.
        """
        values = fitting_features(features, "KNN")
        if len(values) < self.k:
            raise UserError(
                f"the {self.k}-th nearest of {len(values)} training images does not exist; take a smaller k."
            )
        return FittedKNN(unit_length(values).astype(np.float32), self.k)
