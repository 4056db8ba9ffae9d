"""The L2 ball inside [0, 1]: the exact projection onto both at once."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.attacks._fill import fill
from gradlab.attacks._inward import exact, inward, within


def project_l2(adversarial: torch.Tensor, images: torch.Tensor, eps: float) -> torch.Tensor:
    """Return the nearest images that lie in [0, 1] and at most `eps` from `images` in the Euclidean norm.

    The nearest point of ball and range together is images + clip(t·change) with one t for each image, by the conditions
    of Karush, Kuhn and Tucker; t solves Σ min(t²·change², room²) = eps². Scaling first and clipping then, as is
    common, ends inside the ball and loses radius.

    Args:
        adversarial: (N, C, H, W) float.
        images: the same shape and type, in [0, 1].
        eps: radius on the [0, 1] pixel scale, any number from 0 up.

    Returns: the same shape and type; no change is longer than `eps`, not even by rounding.
    """
    centre, change = exact(images), exact(adversarial)
    change -= centre
    room = torch.where(change > 0, 1 - centre, centre)
    moved = torch.minimum(change.abs(), room)
    outside = (moved.norm(dim=1) > eps).nonzero()[:, 0]
    if len(outside):
        squares, limits = change[outside] ** 2, room[outside] ** 2
        total = torch.full_like(squares[:, 0], within(eps, images) ** 2)
        scale = fill(torch.ones_like(squares), squares, limits, total).sqrt()
        moved[outside] = torch.minimum(scale[:, None] * change[outside].abs(), room[outside])
    return inward(centre + moved * change.sign(), images)
