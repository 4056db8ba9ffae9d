"""How alike two maps of one image are, and what a map is like, in numbers."""

from __future__ import annotations

import numpy as np

from gradlab._torch import torch

TOP = 0.2
"""Share of the pixels that count as what the network looks at."""


def overlap(first: torch.Tensor, second: torch.Tensor, top: float = TOP) -> torch.Tensor:
    """Return (N,) float64 in [0, 1]: intersection over union of the most important pixels of two maps.

    Args:
        first, second: (N, H, W). top: share of the pixels, of each map; pixels of one importance go in the order of rows.
    """
    from gradlab.explain.deletion_insertion import ranks

    one, two = (ranks(maps.double()) < top for maps in (first, second))
    return (one & two).sum((1, 2)).double() / (one | two).sum((1, 2)).double()


def rank_correlation(
    first: torch.Tensor, second: torch.Tensor, where: torch.Tensor | None = None
) -> torch.Tensor:
    """Return (N,) float64 in [-1, 1]: Spearman's correlation over the pixels of two maps; 0 where one is constant.

    Args:
        first, second: (N, H, W). where: (N, H, W) bool, the pixels that count; all where it is left out.
    """
    from scipy.stats import rankdata

    kept = (torch.ones_like(first, dtype=torch.bool) if where is None else where).flatten(1).cpu().numpy()
    count = np.maximum(kept.sum(1, keepdims=True), 1)
    flat = (maps.detach().flatten(1).double().cpu().numpy() for maps in (first, second))
    # the pixels that do not count come last, so that the ranks of the others are as without them
    one, two = (np.where(kept, rankdata(np.where(kept, maps, np.inf), axis=1), 0) for maps in flat)
    one, two = (np.where(kept, ranks - ranks.sum(1, keepdims=True) / count, 0) for ranks in (one, two))
    norm = np.sqrt((one**2).sum(1) * (two**2).sum(1))
    found = np.where(norm > 0, (one * two).sum(1) / np.where(norm > 0, norm, 1), 0.0)
    return torch.from_numpy(found).to(first.device)


def centre_of_mass(maps: torch.Tensor) -> torch.Tensor:
    """Return (N, 2) float64 in [0, 1]: row and column of the centre of mass, as shares of height and width.

    Pixels count at their middles; a map that is 0 everywhere has its centre in the middle of the image.
    """
    mass = maps.double().clamp(min=0)
    mass = torch.where(mass.sum((1, 2), keepdim=True) > 0, mass, torch.ones_like(mass))
    mass = mass / mass.sum((1, 2), keepdim=True)
    rows, columns = (
        (torch.arange(side, device=maps.device, dtype=torch.float64) + 0.5) / side for side in maps.shape[1:]
    )
    return torch.stack([mass.sum(2) @ rows, mass.sum(1) @ columns], 1)


def is_empty(maps: torch.Tensor) -> torch.Tensor:
    """Return (N,) bool: whether a map (N, H, W) is the same at all pixels, so that it marks no place."""
    return maps.amax((1, 2)) == maps.amin((1, 2))


def area(maps: torch.Tensor) -> torch.Tensor:
    """Return (N,) float64 in [0, 1]: the share of pixels above half of the map's range."""
    return (maps > 0.5).double().mean((1, 2))
