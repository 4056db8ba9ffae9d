"""Foreign images made of validation images, to tune detectors without any foreign data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradlab._torch import torch
from gradlab.data.guard import refuse_test
from gradlab.types import UserError, derive_seed

if TYPE_CHECKING:
    from gradlab.data import Split

NAME = "means and jigsaws of validation images"
PIECES = 4


def outliers(split: Split, *, seed: int = 0) -> torch.Tensor:
    """Return as many foreign images as a validation part has: means of pairs, and jigsaws, in turn (Hendrycks et al., 2019).

    Outlier Exposure (arXiv:1812.04606, appendix A) validates on such images. A mean is that of two images of different
    classes; a jigsaw cuts an image into 4×4 pieces (fewer of images under 8 pixels) and shuffles them.

    Args:
        split: with images of at least two classes, not test images. seed: of pairs and permutations.
    Returns: (N, C, H, W) uint8.

    Raises:
        UserError: test images, or a single class.
    """
    refuse_test(split, "outliers")
    if len(torch.unique(split.labels)) < 2:
        raise UserError("means of two classes need images of at least two; give a part with more classes.")
    keys = np.random.PCG64(derive_seed(seed, "outliers")).random_raw(2 * len(split)).reshape(2, -1)
    means = _means(split, keys[0])
    jigsaws = _jigsaws(split.images, keys[1])
    odd = torch.arange(len(split), device=split.images.device) % 2 == 1
    return torch.where(odd[:, None, None, None], jigsaws, means)


def _means(split: Split, keys: np.ndarray) -> torch.Tensor:
    """Mean of each image and one of another class."""
    labels = split.labels.cpu().numpy()
    partners = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        partners[own] = others[(keys[own] % np.uint64(len(others))).astype(np.int64)]
    place = torch.from_numpy(partners).to(split.images.device)
    both = split.images.to(torch.int16) + split.images[place].to(torch.int16)
    return (both // 2).to(torch.uint8)


def _jigsaws(images: torch.Tensor, keys: np.ndarray) -> torch.Tensor:
    """Shuffle the pieces of every image, by one permutation for each group of eight images."""
    height, width = images.shape[-2:]
    count = PIECES if min(height, width) >= 2 * PIECES else 2
    h, w = height // count, width // count
    found = images.clone()  # pixels beyond a multiple of the pieces stay
    for start in range(0, len(images), 8):
        order = np.random.Generator(np.random.PCG64(int(keys[start]))).permutation(count * count)
        for target, origin in enumerate(order):
            (a, b), (c, d) = divmod(target, count), divmod(int(origin), count)
            rows = slice(start, start + 8)
            found[rows, :, a * h : (a + 1) * h, b * w : (b + 1) * w] = images[
                rows, :, c * h : (c + 1) * h, d * w : (d + 1) * w
            ]
    return found
