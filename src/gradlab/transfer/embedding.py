"""Principal components: features in a plane, for the eye."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradlab.metrics.arrays import Floats, to_numpy
from gradlab.types import UserError


class Embedded(NamedTuple):
    """Coordinates (N, k) along the first principal components, and the share of the variance that each holds, (k,)."""

    coordinates: Floats
    shares: Floats


def pca(features: Any, components: int = 2) -> Embedded:
    """Project features onto their first principal components (Pearson, 1901), by a singular value decomposition.

    A component's sign is free; here the entry of its direction that is largest in size is positive.

    Args:
        features: (N, D) finite numbers, N ≥ 2; an array, lists, or a tensor on any device.
        components: at most min(N, D).

    Raises:
        UserError: no such features, or more components than there can be.
    """
    values = to_numpy(features)
    if values.ndim != 2 or len(values) < 2 or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise UserError(
            f"features must be finite numbers of shape (N, D) with N ≥ 2, got shape {values.shape} and type {values.dtype}."
        )
    if not 1 <= components <= min(values.shape):
        raise UserError(
            f"components must lie between 1 and {min(values.shape)} for features of shape {values.shape}, got {components}."
        )
    wide = values.astype(np.float64)
    centred = wide - wide.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    total = float((sizes**2).sum()) or 1.0
    return Embedded(centred @ directions[:components].T, sizes[:components] ** 2 / total)
