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
GROUPS = 1024
"""Groups of training images whose largest similarity is looked at first, at least."""


@plain(frozen=True, eq=False)
class FittedKNN:
    """Training features of length 1, (N, D) float32, and the number of the neighbour that counts."""

    bank: NDArray[np.float32]
    k: int

    def score(self, features: Any) -> Floats:
        """Return the distance to the k-th nearest training image, (M,) float64 in [0, 2], for (M, D) features.

        The search is exhaustive, in blocks, and exact: inner products in float32 leave the training images that can be
        among the k nearest, and their distances are then computed in float64. Larger = more out-of-distribution.
        """
        values = unit_length(checked_features(features, self.bank.shape[1]))
        size = max(1, BLOCK_NUMBERS // len(self.bank))
        found = np.empty(len(values))
        for start in range(0, len(values), size):
            found[start : start + size] = self._distances(values[start : start + size])
        return found

    def _distances(self, block: Floats) -> Floats:
        """Return the distances of features of length 1, (B, D), to their k-th neighbours."""
        similar = block.astype(np.float32) @ self.bank.T
        near = similar >= least_similar(similar, self.k, block.shape[1])[:, None]
        place, stops = np.flatnonzero(near), np.cumsum(near.sum(axis=1))
        found = np.empty(len(block))
        for row, (start, stop) in enumerate(zip([0, *stops[:-1]], stops, strict=True)):
            away = block[row] - self.bank[place[start:stop] - row * len(self.bank)]
            found[row] = np.partition(np.einsum("nd,nd->n", away, away), self.k - 1)[self.k - 1]
        return np.sqrt(found)


def least_similar(similar: NDArray[np.float32], k: int, width: int) -> NDArray[np.float32]:
    """Return, for every row, a bound that the inner products with its k nearest reach, and few others.

    The k-th largest of the maxima of groups is reached by k of them at least. An inner product of two vectors of length 1
    in float32 is off by no more than (D + 2) / 2^24 (Higham, 2002, section 3.1), which counts once for each side.

    Args:
        similar: (B, N) inner products. k: at most N. width: D.
    """
    groups = min(similar.shape[1], max(GROUPS, 8 * k))
    whole = similar.shape[1] // groups * groups
    largest = similar[:, :whole].reshape(len(similar), -1, groups).max(axis=1)
    kth: NDArray[np.float32] = np.partition(largest, groups - k, axis=1)[:, groups - k]
    return kth - np.float32(2 * (width + 2) / 2**24)


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
