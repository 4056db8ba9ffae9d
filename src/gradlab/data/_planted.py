"""Digits in which a small patch is planted: the label is the patch's pattern, so that it is known where to look."""

from __future__ import annotations

import numpy as np

from gradlab.data._digits import digits
from gradlab.data._facts import Images, Labels
from gradlab.data._names import PLANTED

SIDE, LOW, HIGH = 6, 97, 157
"""Side of a patch in pixels, and its two grey levels: odd, where the digit's are even, and with less contrast than it."""
PLANTED_SEED = 7


def planted() -> tuple[Images, Labels]:
    """Return (1797, 1, 16, 16) uint8 digits with a patch each, and the number of the patch's pattern.

    Digits are those of scikit-learn, every pixel doubled, grey levels rounded down to even ones. Pattern and place of
    every patch are drawn, uniformly and without regard to the digit, from the raw stream of PCG64.
    """
    small, _ = digits()
    images = small.repeat(2, axis=2).repeat(2, axis=3) & 0xFE
    drawn = np.random.PCG64(PLANTED_SEED).random_raw((len(images), 3))
    labels = np.asarray(drawn[:, 0] % len(PLANTED), dtype=np.int64)
    rows, columns = ((drawn[:, axis] % (17 - SIDE)).astype(np.int64) for axis in (1, 2))
    shapes = [_pattern(name) for name in PLANTED]
    for image, label, row, column in zip(images, labels, rows, columns, strict=True):
        image[0, row : row + SIDE, column : column + SIDE] = shapes[label]
    return np.asarray(images, dtype=np.uint8), labels


def _pattern(name: str) -> Images:
    row, column = np.indices((SIDE, SIDE))
    far = np.maximum(abs(2 * row - SIDE + 1), abs(2 * column - SIDE + 1)) // 2
    bright = {
        "checks": (row // 2 + column // 2) % 2,
        "columns": column // 2 % 2,
        "ring": far % 2,
        "rows": row // 2 % 2,
    }[name]
    return np.where(bright == 1, HIGH, LOW).astype(np.uint8)


def planted_masks(images: Images) -> np.ndarray:
    """Return (N, H, W) bool, True on the patch, of images (N, C, H, W) uint8 of "planted" at their own size."""
    return np.asarray((images % 2 == 1).all(axis=1))
