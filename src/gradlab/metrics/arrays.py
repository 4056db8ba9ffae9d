"""Array-likes and tensors as NumPy arrays, without importing torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def to_numpy(values: Any) -> NDArray[Any]:
    """Return a NumPy array of an array-like or a tensor on any device (torch is not imported)."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):
            values = values.float()
    return np.asarray(values)
