"""Temperature scaling: one number by which all logits are divided, so that confidence is like accuracy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.data.guard import refuse_test
from gradlab.detection._logits import checked_logits
from gradlab.metrics.arrays import to_numpy
from gradlab.types import UserError

LEAST, MOST = 0.01, 100.0
STEPS = 60


def temperature_scaling(logits: Any, labels: Any) -> float:
    """Return the temperature with the smallest cross-entropy of softmax(logits / T) (Guo et al., 2017, arXiv:1706.04599).

    The cross-entropy is convex in 1/T, so that its slope is bisected; the prediction of every image stays as it is.

    Args:
        logits: (N, K) of validation images. labels: (N,) class numbers below K.
    Returns: T in [0.01, 100]; the least where every image is classified correctly, since surer is then always better.

    Raises:
        UserError: logits of test images, or no such logits and labels.
    """
    refuse_test(logits, "temperature_scaling")
    values, true = checked_logits(logits), to_numpy(labels)
    if (
        true.shape != values.shape[:1]
        or not len(true)
        or true.dtype.kind not in "iu"
        or not 0 <= true.min() <= true.max() < values.shape[1]
    ):
        raise UserError(
            f"{len(values)} logits need as many labels, class numbers from 0 to {values.shape[1] - 1}, got shape {true.shape}, "
            f"type {true.dtype}{f', from {true.min()} to {true.max()}' if true.size else ''}."
        )
    shifted = values - values.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(true)), true.astype(np.int64)]

    def slope(inverse: float) -> float:
        weights = np.exp(inverse * shifted)
        return float(((weights * shifted).sum(1) / weights.sum(1) - own).mean())

    low, high = math.log(1 / MOST), math.log(1 / LEAST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(math.exp(middle)) > 0 else (middle, high)
    return float(np.clip(math.exp(-(low + high) / 2), LEAST, MOST))
