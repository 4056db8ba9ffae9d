"""Batches: the order of an epoch, and the gathering of images by index."""

from __future__ import annotations

import torch
from torch import Tensor

from gradlab.data._partition import stratified
from gradlab.data.guard import TEST_MARK
from gradlab.data.splits import Split
from gradlab.types import derive_seed


def order(n: int, *, seed: int, epoch: int, device: torch.device | str = "cpu") -> Tensor:
    """Return the order in which an epoch visits n images; it depends on (n, seed, epoch) alone.

    It is drawn on the CPU from the stream (seed, "order", epoch), so that it is the same on every device.

    Returns: (n,) int64, a permutation of 0..n-1.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(n, generator=generator).to(device)


def draw(labels: Tensor, count: int, *, seed: int) -> Tensor:
    """Draw about `count` images with the class shares of the whole; another seed draws others.

    Shares are rounded by the largest remainder, and every class with two images keeps one on each side; how many are
    drawn depends on the labels alone, not on the seed.

    Args:
        labels: (N,) int64.
        count: images wanted, in [1, N].
    Returns: (about count,) int64 indices in ascending order, on the labels' device.
    """
    chosen = stratified(labels.cpu().numpy(), count, derive_seed(seed, "training images"))
    return torch.from_numpy(chosen).nonzero().flatten().to(labels.device)


def bytes_at(images: Tensor, indices: Tensor, dtype: torch.dtype) -> Tensor:
    """Gather (N, C, H, W) uint8 images by index as numbers in [0, 1]: (*indices.shape, C, H, W)."""
    found = images.index_select(0, indices.reshape(-1)).to(dtype).div_(255)
    return found.reshape(*indices.shape, *images.shape[1:])


def gather(split: Split, indices: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Gather images by index and bring them to [0, 1].

    Args:
        split: (N, C, H, W) uint8 images.
        indices: int64 of any shape, such as (B,) or (S, B) for S stacked seeds, on the split's device.
        dtype: floating type of the result.
    Returns: (*indices.shape, C, H, W) in [0, 1]; grey level g is g/255, correctly rounded.
    """
    images = bytes_at(split.images, indices, dtype)
    if split.role == "test":
        setattr(images, TEST_MARK, split.origin.name)
    return images
