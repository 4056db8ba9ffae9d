"""Fixed stratified parts: the same rows for every seed and arm, on every platform and NumPy version."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

PARTITION_SEED = 20_240_229
"""Seed of every stratified part; a constant, because the split is data and not chance."""


def validation_size(count: int) -> int:
    """Images that validation takes from `count` training images: a tenth (rounded up), at most 5,000."""
    return min(5000, math.ceil(count / 10))


def test_size(count: int) -> int:
    """Images that a made test part takes from `count` images: a fifth, rounded up."""
    return math.ceil(count / 5)


test_size.__test__ = False  # type: ignore[attr-defined]  # pytest: a function of the library, not a test


def stratified(labels: NDArray[np.int64], size: int, seed: int = PARTITION_SEED) -> NDArray[np.bool_]:
    """Choose about `size` rows with the class shares of the whole.

    Shares are rounded by the largest remainder; a class with at least two images puts at least one on each side,
    so that a tiny data set may take a few rows more or less than `size`. Rows are ranked by the raw stream of
    PCG64, which NumPy keeps fixed, unlike the methods of its Generator.

    Args:
        labels: (N,) integers in [0, K).
        size: rows wanted, in [0, N].
        seed: of the ranking.
    Returns: (N,) True where a row is chosen.
    """
    counts = np.bincount(labels)
    shares = counts * (size / max(1, len(labels)))
    quotas = np.floor(shares).astype(np.int64)
    largest = np.argsort(-(shares - quotas), kind="stable")[: size - int(quotas.sum())]
    quotas[largest] += 1
    quotas = np.clip(quotas, np.minimum(1, counts // 2), np.maximum(counts - 1, 0))
    keys = np.random.PCG64(seed).random_raw(len(labels))
    order = np.lexsort((keys, labels))  # by class, then by key
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for start, quota in zip(starts, quotas, strict=True):
        chosen[order[start : start + quota]] = True
    return chosen
