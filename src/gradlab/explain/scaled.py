"""From a method's own numbers to a map in [0, 1] of the size of the image."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab._torch import torch


def scaled(maps: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Cut off what is negative, resize, and stretch every map by itself to [0, 1].

    The order is that of Selvaraju et al. (2017): ReLU first, since negative evidence is evidence for other classes. A
    map that is constant after it has no place that stands out: it becomes 0 everywhere.

    Args:
        maps: (N, h, w) float. size: (H, W) of the images.
    Returns: (N, H, W), float32 at least, each map with minimum 0 and maximum 1, or all 0.
    """
    maps = wide(maps).clamp(min=0)
    if tuple(maps.shape[1:]) != tuple(size):
        maps = torch.nn.functional.interpolate(
            maps[:, None], size=tuple(size), mode="bilinear", align_corners=False
        )[:, 0]
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    spread = high - low
    is_flat = spread <= 1e-6 * high  # rounding of the resizing
    return torch.where(is_flat, 0.0, (maps - low) / torch.where(is_flat, 1.0, spread))


def finished(maps: torch.Tensor, images: torch.Tensor, *, raw: bool) -> torch.Tensor:
    """Return the method's own numbers, or maps in [0, 1] of the images' size and type."""
    maps = maps.detach()
    return maps if raw else scaled(maps, images.shape[2:]).to(images.dtype)


def wide(values: torch.Tensor) -> torch.Tensor:
    """Return numbers of half precision as float32, in which sums and powers of small gradients do not vanish."""
    return values.float() if values.dtype.itemsize < 4 else values
