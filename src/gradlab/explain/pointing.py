"""The pointing game (Zhang et al., 2018): whether the largest value of a map lies where the object is."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.types import UserError


def pointing(maps: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Say for each map whether it points at the object (Zhang et al., 2018, arXiv:1608.00507), without tolerance.

    Where several pixels share the maximum, the share of them that lies on the object counts: a map that is 0 everywhere
    scores what a random pixel would.

    Args:
        maps: (N, H, W). masks: (N, H, W) bool, True on the object, which each image has.

    Returns: (N,) float64 in [0, 1].

    Raises:
        UserError: masks of another shape, or an image without an object.
    """
    if not isinstance(masks, torch.Tensor) or masks.shape != maps.shape or masks.dtype != torch.bool:
        got = (
            f"{masks.dtype} of {tuple(masks.shape)}"
            if isinstance(masks, torch.Tensor)
            else type(masks).__name__
        )
        raise UserError(f"masks must be bool of the maps' shape {tuple(maps.shape)}, got {got}.")
    without = int((~masks.flatten(1).any(1)).sum())
    if without:
        raise UserError(f"{without} of {len(masks)} masks are empty; leave out images without an object.")
    top = (maps == maps.amax((1, 2), keepdim=True)).double()
    return (top * masks).sum((1, 2)) / top.sum((1, 2))
