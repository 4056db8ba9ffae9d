"""Features of some test images in the plane, for the eye: a table that transferring runs write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradlab.lab.kinds import Column
from gradlab.lab.records.columns import Columns

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Split

CLASSES, IMAGES = 10, 30
"""The first classes that are shown, and how many images of each at most."""
EMBEDDING = {
    "x": Column("first principal component"),
    "y": Column("second principal component"),
    "label": Column("true class"),
}


def embedding(network: nn.Module, test: Split, layer: str | None = None) -> Columns:
    """Return index, label and the first two principal components of features of test images of the first classes.

    The components are those of these images' features themselves. Nothing is fitted, chosen or measured with them.
    """
    from gradlab.transfer import features

    rows = shown_rows(test.labels.cpu().numpy())
    return plane_of(features(network, test[rows], layer).numpy(), test.labels.cpu().numpy(), rows)


def plane_of(found: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Columns:
    """Return the table for the features (n, D) of the test samples at `rows`, whose labels are all (N,)."""
    from gradlab.transfer import pca

    centred = pca(found, min(2, *found.shape)).coordinates
    plane = np.pad(centred, ((0, 0), (0, 2 - centred.shape[1])))  # a single feature has no second component
    return {
        "index": rows.astype(np.int32),
        "label": labels[rows].astype(np.int16),
        "x": plane[:, 0].astype(np.float32),
        "y": plane[:, 1].astype(np.float32),
    }


def shown_rows(labels: np.ndarray) -> np.ndarray:
    """Return the first images of the first classes, in ascending order."""
    chosen = [np.flatnonzero(labels == one)[:IMAGES] for one in np.unique(labels)[:CLASSES]]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
