"""Layers with spatial positions: where channels and positions lie in what they put out, and on which grid tokens lie."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from gradlab._torch import torch
from gradlab.explain.compare_maps import centre_of_mass
from gradlab.types import UserError

MOST_EXTRA = 8
"""Tokens that may stand before those of the patches: of the class, of distillation, registers."""
NO_PLACES = (
    "so its output says nothing about positions; name a convolution, a block or a norm of tokens before the pooling, or take a "
    "method that needs no layer (saliency, integrated-gradients, occlusion)."
)

Layer: TypeAlias = "str | torch.nn.Module | Place | None"
"""A layer's name as in `named_modules`, the module itself, or None for the one that is found."""


@dataclass(frozen=True)
class Place:
    """A layer with spatial positions.

    Attributes:
        name: as in `named_modules`. axis: of its output, that holds channels. grid: (h, w) of its tokens, (N, T, D) or
            (N, D, T); None where it puts out (N, C, h, w) or (N, h, w, C).
    """

    name: str
    axis: int = 1
    grid: tuple[int, int] | None = None

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, or a gradient there, as (N, C, h, w); tokens before the patches are left out."""
        output = output.movedim(self.axis, 1)
        if self.grid is None:
            return output
        return torch.unflatten(output[:, :, output.shape[2] - math.prod(self.grid) :], 2, self.grid)


@dataclass
class Seen:
    """What one layer put out, and the axis of channels, None where it cannot be told."""

    name: str
    layer: torch.nn.Module
    value: torch.Tensor
    axis: int | None


@dataclass
class Trace:
    """One run: what layers with places put out, in their order, how often each layer ran, and what went in and came out."""

    seen: list[Seen]
    runs: Counter[str]
    images: torch.Tensor
    score: torch.Tensor


def place_of(one: Seen, trace: Trace) -> Place:
    """Return the place of a layer.

    Raises:
        UserError: its positions are no grid of the image, or which axis holds channels cannot be told.
    """
    possible = [one.axis] if one.axis is not None else [1, one.value.dim() - 1]
    grids = [(axis, grid) for axis in possible if (grid := _grid(one, axis, trace)) is not None]
    shape = ", ".join(map(str, one.value.shape[1:]))
    if len(grids) > 1:
        raise UserError(
            f"layer '{one.name}' gives (N, {shape}), and which of these are channels cannot be told; name a convolution, a "
            "linear layer or a norm beside it."
        )
    if not grids:
        height, width = trace.images.shape[2:]
        raise UserError(
            f"layer '{one.name}' gives (N, {shape}), which fits no grid of the {height}×{width} image, {NO_PLACES}"
        )
    axis, grid = grids[0]
    return Place(one.name, axis, grid if one.value.dim() == 3 else None)


def _grid(one: Seen, axis: int, trace: Trace) -> tuple[int, int] | None:
    """Return (h, w) of what a layer put out, if that axis holds channels; None if it then has no places of the image."""
    sizes = [size for place, size in enumerate(one.value.shape) if place not in (0, axis)]
    height, width = trace.images.shape[2:]
    if len(sizes) == 2:
        fits = one.axis is not None or abs(sizes[0] * width - sizes[1] * height) <= max(height, width)
        return (sizes[0], sizes[1]) if fits and math.prod(sizes) > 1 else None
    return grid_of_tokens(sizes[0], trace)


def grid_of_tokens(tokens: int, trace: Trace) -> tuple[int, int] | None:
    """Return (h, w) of so many tokens: that of an earlier layer, or one of the image's proportions."""
    height, width = trace.images.shape[2:]
    maps = [other for other in trace.seen if other.value.dim() == 4 and other.axis is not None]
    grids = [grid for other in maps if (grid := _grid(other, other.axis or 1, trace)) is not None]
    side = math.isqrt(tokens * height // width)
    guesses = [(rows, rows * width // height) for rows in (side, side - 1) if rows > 0]
    for grid in sorted(grids + guesses, key=lambda grid: abs(tokens - math.prod(grid))):
        if 0 <= tokens - math.prod(grid) <= MOST_EXTRA and math.prod(grid) > 1:
            is_sure = grid in grids or grid == (height, width)  # of an earlier layer, or one token a pixel
            return grid if is_sure or _reads_corners(tokens, grid, trace) else None
    return None


def _reads_corners(tokens: int, grid: tuple[int, int], trace: Trace) -> bool:
    """Whether the first layer with so many tokens reads the image near each corner for the token of this corner.

    Of rows or columns as tokens, as recurrent networks and convolutions in one dimension have them, this is not so.
    """
    rows, columns = grid
    sides = [(one, 3 - one.axis) for one in trace.seen if one.value.dim() == 3 and one.axis is not None]
    one, side = next(((one, side) for one, side in sides if one.value.shape[side] == tokens), (None, 0))
    if one is None or not one.value.requires_grad:
        return False
    for row, column in itertools.product((0, rows - 1), (0, columns - 1)):
        score = one.value.select(side, tokens - rows * columns + row * columns + column).square().sum()
        (slope,) = torch.autograd.grad(score, trace.images, retain_graph=True, materialize_grads=True)
        centre = centre_of_mass(slope.square().sum((0, 1))[None])[0]
        if not all(
            (at > 2 / 3) if far else (at < 1 / 3) for at, far in zip(centre, (row, column), strict=True)
        ):
            return False
    return True
