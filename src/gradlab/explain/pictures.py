"""Maps as pictures: overlays, differences and grids, in colours that colour-blind readers tell apart."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from gradlab._torch import torch
from gradlab.types import UserError

BLUE_ORANGE = "0b63a8 6fa3cd f4f4f4 e2a57c c2500a"
"""Less, the same, more; told apart without red and green."""
COLOURS = ("viridis", "blue-orange")
"""Viridis is that of van der Walt and Smith (2015), as matplotlib has it."""
GAP = 2
"""White pixels between the pictures of a grid."""


def colour(values: torch.Tensor, colours: str = "viridis") -> torch.Tensor:
    """Return (N, 3, H, W) in [0, 1]: each number of maps (N, H, W) in [0, 1] as a colour.

    Raises:
        UserError: colours other than viridis and blue-orange.
    """
    if colours not in COLOURS:
        raise UserError(f"colours are {' or '.join(COLOURS)}, got {colours!r}.")
    table = torch.tensor(_stops(colours), dtype=values.dtype, device=values.device)
    place = values.clamp(0, 1) * (len(table) - 1)
    below = place.floor().clamp(max=len(table) - 2).long()
    share = (place - below)[..., None]
    return (table[below] * (1 - share) + table[below + 1] * share).permute(0, 3, 1, 2)


def _stops(colours: str) -> np.ndarray:
    """Return (n, 3) colours from the least to the most; those between are interpolated."""
    if colours == "viridis":
        from matplotlib import colormaps

        return np.asarray(colormaps["viridis"](np.arange(256))[:, :3])
    return np.array([list(bytes.fromhex(one)) for one in BLUE_ORANGE.split()]) / 255


def overlay(images: torch.Tensor, maps: torch.Tensor, *, alpha: float = 0.55) -> torch.Tensor:
    """Lay maps over the grey images, so that all colour is the map's.

    Args:
        images: (N, 1 or 3, H, W) in [0, 1]. maps: (N, H, W) in [0, 1]. alpha: share of the map, in [0, 1].

    Returns: (N, 3, H, W) in [0, 1].
    """
    grey = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return (1 - alpha) * grey + alpha * colour(maps.to(images.dtype))


def difference(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return (N, 3, H, W) in [0, 1]: where maps (N, H, W) in [0, 1] lost (blue) and gained (orange)."""
    return colour((after - before) / 2 + 0.5, "blue-orange")


def grid(rows: Sequence[torch.Tensor], *, scale: int = 1) -> torch.Tensor:
    """Put pictures side by side: each entry is a column, such as images, then overlays of one method after the other.

    Args:
        rows: (N, 1 or 3, H, W) in [0, 1], all of one N, H and W. scale: pixels of the grid for one pixel.

    Returns: (3, height, width) in [0, 1], N pictures high.

    Raises:
        UserError: nothing, or columns of several sizes.
    """
    sizes = {(len(one), *one.shape[2:]) for one in rows}
    if len(sizes) != 1:
        raise UserError(
            f"a grid needs columns of one size, (N, C, H, W) each, got {sorted(sizes) or 'none'}."
        )
    columns = [one.expand(-1, 3, -1, -1) for one in rows]
    cells = torch.stack(columns, 1).repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    padded = torch.nn.functional.pad(cells, (0, GAP, 0, GAP), value=1.0)
    count, across, _, height, width = padded.shape
    joined = padded.permute(2, 0, 3, 1, 4).reshape(3, count * height, across * width)
    return joined[:, :-GAP, :-GAP]


def methods_grid(images: torch.Tensor, maps: Mapping[str, torch.Tensor], *, scale: int = 1) -> torch.Tensor:
    """Return a grid with a row for each image: the image, then each method's overlay in the order of `maps`."""
    return grid([images, *(overlay(images, one) for one in maps.values())], scale=scale)


def png(picture: torch.Tensor) -> bytes:
    """Encode one picture (1 or 3, H, W) in [0, 1] as PNG."""
    from PIL import Image

    pixels = (picture.expand(3, -1, -1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
