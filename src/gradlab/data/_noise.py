"""Generated noise, a foreign data set that needs no file."""

from __future__ import annotations

import numpy as np

from gradlab.data._facts import Images

NOISE_SEED = 7


def uniform_noise(count: int, shape: tuple[int, int, int], seed: int = NOISE_SEED) -> Images:
    """Return (count, C, H, W) independent grey levels, uniform on 0..255.

    The bytes are the raw stream of PCG64 (little-endian), fixed on every platform and NumPy version.
    """
    size = count * int(np.prod(shape))
    words = np.random.PCG64(seed).random_raw(-(-size // 8)).astype("<u8")
    return words.view(np.uint8)[:size].reshape(count, *shape)
