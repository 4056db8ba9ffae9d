"""The plane on which a linear function is zero, inside [0, 1]."""

from __future__ import annotations

from typing import Literal

from gradlab._torch import torch
from gradlab.attacks._fill import fill
from gradlab.attacks._inward import exact


def project_plane(
    points: torch.Tensor, slope: torch.Tensor, height: torch.Tensor, norm: Literal["linf", "l2"]
) -> torch.Tensor:
    """Return the nearest images in [0, 1] at which a linear function with this slope and height at `points` is zero.

    Exact (Croce & Hein, 2020, arXiv:1907.02044, section 3.1): the numbers move against the sign of the function, all by
    the same amount (L-infinity) or in proportion to the slope (L2), each up to the border. Where the function is
    zero nowhere in [0, 1], the images at which it is nearest to zero.

    Args:
        points: (N, C, H, W) float in [0, 1]. slope: as the points. height: (N,) the function's value there.
        norm: "linf" or "l2", of the change.
    """
    start, rates = exact(points), exact(slope)
    up = rates * -exact(height.view(-1, 1)).sign() > 0
    room = torch.where(up, 1 - start, start)
    size = rates.abs()
    speed = (size > 0).double() if norm == "linf" else size
    time = fill(size, speed, room, exact(height.view(-1, 1)).abs()[:, 0])
    way = torch.where(speed > 0, torch.minimum(time[:, None] * speed, room), 0.0)
    return torch.where(up, start + way, start - way).to(points.dtype).view(points.shape).to(points.device)
