"""Bilinear warps: any chain of geometric steps, and a displacement field at its end, interpolates once.

A matrix maps a place of the result to the place of the input that it shows, both (x, y, 1) in pixels from the centre
of the image, which lies at ((W-1)/2, (H-1)/2) if pixel (0, 0) has its middle at (0, 0); x points right, y down. Outside
of the image everything is 0, also within the bilinear cell at its border.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.augmentation._rows import Rows, change_rows, working_dtype


def matrix_of(rows: Sequence[Sequence[Tensor | float]], count: int) -> Tensor:
    """Make (count, 3, 3) float64 matrices of entries that are numbers or (count,) tensors."""
    entries = [torch.as_tensor(entry, dtype=torch.float64).expand(count) for row in rows for entry in row]
    return torch.stack(entries, dim=1).view(count, 3, 3)


def compose(matrices: Sequence[Tensor]) -> Tensor:
    """Return the matrices (N, 3, 3) of one warp that shows the steps one after the other."""
    return reduce(_product, matrices)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply (N, 3, 3) in a fixed order, so that a row has the same bits in every batch."""
    first, second, third = (left[:, :, k : k + 1] * right[:, k : k + 1, :] for k in range(3))
    return (first + second) + third


def warp(images: Tensor, matrices: Tensor, displacement: Tensor | None = None) -> Tensor:
    """Show at p of the result what the input has at matrix · (p + displacement(p)).

    Args:
        images: (N, C, H, W) float in [0, 1].
        matrices: (N, 3, 3) float64; see above.
        displacement: (N, 2, H, W) in pixels, x then y; None for none.
    Returns: (N, C, H, W) in [0, 1]; a row with the identity and no displacement is bit-equal to its input.
    """
    moved = (matrices != torch.eye(3, dtype=matrices.dtype, device=matrices.device)).flatten(1).any(1)
    if displacement is not None:
        moved = moved | (displacement != 0).flatten(1).any(1)

    def change(some: Tensor, rows: Rows) -> Tensor:
        return _sample(some, matrices[rows], None if displacement is None else displacement[rows])

    return change_rows(images, moved, change)


def _sample(images: Tensor, matrices: Tensor, displacement: Tensor | None) -> Tensor:
    dtype = working_dtype(images)
    grid = _grid(images, matrices, displacement, dtype)
    found = functional.grid_sample(images.to(dtype), grid, padding_mode="zeros", align_corners=False)
    return found.clamp_(0, 1).to(images.dtype)  # the four weights may sum to a little more than 1


def _grid(images: Tensor, matrices: Tensor, displacement: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Places (N, H, W, 2) in the units of `grid_sample`, where the outer borders of the image are at -1 and 1."""
    count, _, height, width = images.shape
    units = torch.tensor([2 / width, 2 / height, 1], dtype=matrices.dtype, device=matrices.device)
    is_flat = bool((matrices[:, 2, :2] == 0).all()) and bool((matrices[:, 2, 2] == 1).all())
    matrices = (matrices * units[:, None]).to(images.device, dtype)
    x = torch.arange(width, device=images.device, dtype=dtype) - (width - 1) / 2
    y = (torch.arange(height, device=images.device, dtype=dtype) - (height - 1) / 2)[:, None]
    if displacement is not None:
        displacement = displacement.to(images.device, dtype)
        x, y = x + displacement[:, 0], y + displacement[:, 1]
    grid = torch.empty(count, height, width, 2, device=images.device, dtype=dtype)
    for axis in range(2):
        across, down, middle = (matrices[:, axis, k, None, None] for k in range(3))
        torch.add(across * x, down * y + middle, out=grid[..., axis])
    if not is_flat:
        across, down, middle = (matrices[:, 2, k, None, None] for k in range(3))
        depth = across * x + (down * y + middle)
        grid.div_(torch.where(depth.abs() < 1e-6, 1e-6, depth)[..., None])  # 0 is the horizon, far outside
    return grid
