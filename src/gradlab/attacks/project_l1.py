"""The L1 ball inside [0, 1]: the exact projection onto both at once."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.attacks._inward import exact, inward, within


def project_l1(adversarial: torch.Tensor, images: torch.Tensor, eps: float) -> torch.Tensor:
    """Return the nearest images (Euclidean) that lie in [0, 1] and at most `eps` from `images` in the L1 norm.

    The exact projection onto ball and range together, by sorting (Croce & Hein, 2021, arXiv:2103.01208, proposition 2.1):
    every change shrinks by one λ, to at least 0 and at most the room that is left up to the borders.

    Args:
        adversarial: (N, C, H, W) float.
        images: the same shape and type, in [0, 1].
        eps: radius on the [0, 1] pixel scale, any number from 0 up.

    Returns: the same shape and type; no sum of changes exceeds `eps`, not even by rounding.
    """
    centre, change = exact(images), exact(adversarial)
    change -= centre
    size = change.abs()
    room = torch.where(change > 0, 1 - centre, centre)
    moved = torch.minimum(size, room)
    outside = (moved.sum(1) > eps).nonzero()[:, 0]
    if len(outside):
        shrink = _threshold(size[outside], room[outside], within(eps, images))
        moved[outside] = torch.minimum((size[outside] - shrink[:, None]).clamp(min=0), room[outside])
    return inward(centre + moved * change.sign(), images)


def _threshold(size: torch.Tensor, room: torch.Tensor, total: float) -> torch.Tensor:
    """Return the λ (N,) at which Σ min(max(size - λ, 0), room) = total; sizes and rooms (N, D)."""
    corners, order = torch.cat([size, size - room], 1).sort(dim=1, descending=True)
    turns = torch.cat([torch.ones_like(size), -torch.ones_like(room)], 1).gather(1, order)
    slopes = turns.cumsum(1)  # how many changes grow while λ falls below each corner
    gaps = corners[:, :-1] - corners[:, 1:]
    sums = torch.cat([torch.zeros_like(size[:, :1]), (slopes[:, :-1] * gaps).cumsum(1)], 1)
    piece = ((sums < total).sum(1, keepdim=True) - 1).clamp(min=0)  # the last corner below the total
    ahead = (total - sums.gather(1, piece)) / slopes.gather(1, piece).clamp(min=1)
    return (corners.gather(1, piece) - ahead)[:, 0].clamp(min=0)
