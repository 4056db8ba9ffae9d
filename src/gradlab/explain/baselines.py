"""Maps that know nothing of the network: random ones, and the edges of the image."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.explain.scaled import scaled

COARSE = 4
"""Pixels of the image for one random number, so that random maps are about as smooth as those of a CNN."""


def random_maps(images: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
    """Return maps (N, H, W) in [0, 1] of uniform noise on a coarse grid, resized.

    Args:
        images: (N, C, H, W), for their size alone. generator: on the images' device; left out, that of seed 0.
    """
    generator = generator or torch.Generator(images.device).manual_seed(0)
    height, width = (max(2, side // COARSE) for side in images.shape[2:])
    drawn = torch.rand(
        len(images), height, width, generator=generator, dtype=images.dtype, device=images.device
    )
    return scaled(drawn, images.shape[2:])


def edge_maps(images: torch.Tensor) -> torch.Tensor:
    """Return maps (N, H, W) in [0, 1]: the magnitude of the Sobel gradient of the mean over colours.

    Args:
        images: (N, C, H, W) float; beyond the border the nearest pixel counts.
    """
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=images.dtype, device=images.device)
    kernels = torch.stack([across, across.T])[:, None]
    padded = torch.nn.functional.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    found = torch.nn.functional.conv2d(padded, kernels)
    return scaled(found.square().sum(1).sqrt(), images.shape[2:])
