"""The one way in which images get another size: bilinear with antialiasing."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gradlab.data._facts import Images

METHOD = "bilinear, antialiased"
"""A triangle filter as wide as the step between output pixels, on the 8-bit grey levels, as Pillow computes it."""
VERSION = 1
"""Raised whenever the same images would come out otherwise."""


def resampling_note(old: tuple[int, int], new: tuple[int, int]) -> str:
    """Say from which (H, W) to which images were brought."""
    before, after = ("×".join(map(str, size)) for size in (old, new))
    return f"The images were resampled from {before} to {after} pixels ({METHOD}; aspect not kept)."


def resampled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return an image at (width, height); its aspect is not kept."""
    return image.resize(size, Image.Resampling.BILINEAR)


def resample(images: Images, size: tuple[int, int]) -> Images:
    """Bring (N, C, H, W) uint8 images with C = 1 or 3 to `size`, which is (H, W)."""
    count, channels, *_ = images.shape
    result = np.empty((count, channels, *size), dtype=np.uint8)
    for i, image in enumerate(images):
        for channel in range(channels):
            small = resampled(Image.fromarray(np.ascontiguousarray(image[channel])), (size[1], size[0]))
            result[i, channel] = np.asarray(small)
    return result
