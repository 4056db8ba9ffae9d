"""Generated noise, foreign data that need no file."""

from __future__ import annotations

import math

import numpy as np

from gradlab.data._facts import Images
from gradlab.types import derive_seed

NOISE_SEED = 7
GAUSSIAN_MEAN, GAUSSIAN_DEVIATION = 127.5, 64.0
"""Grey levels."""


def uniform_noise(count: int, shape: tuple[int, ...], seed: int = NOISE_SEED) -> Images:
    """Return (count, C, H, W) independent grey levels, uniform on 0..255.

    The bytes are the raw stream of PCG64 (little-endian), fixed on every platform and NumPy version.
    """
    size = count * int(np.prod(shape))
    words = np.random.PCG64(seed).random_raw(-(-size // 8)).astype("<u8")
    return words.view(np.uint8)[:size].reshape(count, *shape)


def gaussian_noise(count: int, shape: tuple[int, ...], seed: int = NOISE_SEED) -> Images:
    """Return (count, C, H, W) independent grey levels, normal with mean 127.5 and deviation 64, cut at 0 and 255.

    Sixteen bits of the stream (seed, "gaussian-noise") of PCG64 are looked up in a table of the normal distribution, so
    that the levels are the same on every platform.
    """
    size = count * int(np.prod(shape))
    generator = np.random.PCG64(derive_seed(seed, "gaussian-noise"))
    words = generator.random_raw(-(-size // 4)).astype("<u8")
    levels: Images = _gaussian_levels()[words.view("<u2")[:size]].reshape(count, *shape)
    return levels


def _gaussian_levels() -> Images:
    """Grey level of each of the 65,536 values of sixteen bits."""
    edges = [
        round(
            65_536 * (1 + math.erf((level + 0.5 - GAUSSIAN_MEAN) / (GAUSSIAN_DEVIATION * math.sqrt(2)))) / 2
        )
        for level in range(255)
    ]
    return np.searchsorted(edges, np.arange(65_536), side="right").astype(np.uint8)
