"""Perspective: the corners of the image move towards its centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def perspective_matrix(moves: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Matrices (N, 3, 3) of the projection that takes the corners of the image to moved ones.

    Args:
        moves: (N, 4, 2) parts of half the width (x) and of half the height (y) by which the top left, top right,
            bottom right and bottom left corners go towards the centre.
        size: (C, H, W).
    """
    import torch

    from gradlab.augmentation._warp import matrix_of

    _, height, width = size
    half = torch.tensor([width / 2, height / 2], dtype=torch.float64, device=moves.device)
    corners = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64, device=moves.device)
    rows = _square_to((corners * (1 - moves.double())) * half)
    back = torch.stack([torch.linalg.cross(rows[k - 2], rows[k - 1]) for k in range(3)], dim=-1)
    to_places = matrix_of([[width, 0, -width / 2], [0, height, -height / 2], [0, 0, 1]], 1).to(moves.device)
    found = (to_places[..., 0:1] * back[:, 0:1] + to_places[..., 1:2] * back[:, 1:2]) + to_places[
        ..., 2:3
    ] * back[:, 2:3]
    still = (moves == 0).flatten(1).all(1)[:, None, None]
    return torch.where(
        still, torch.eye(3, dtype=torch.float64, device=moves.device), found / found[:, 2:, 2:]
    )


def _square_to(corners: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (N, 3) of the projection of the unit square to corners (N, 4, 2) (Heckbert, 1989, chapter 2)."""
    import torch

    first, second, third, fourth = corners.unbind(1)
    right, below = second - third, fourth - third
    total = (first - second) + (third - fourth)
    determinant = right[:, 0] * below[:, 1] - below[:, 0] * right[:, 1]
    g = ((total[:, 0] * below[:, 1] - below[:, 0] * total[:, 1]) / determinant)[:, None]
    h = ((right[:, 0] * total[:, 1] - total[:, 0] * right[:, 1]) / determinant)[:, None]
    across, down = (second - first) + g * second, (fourth - first) + h * fourth
    x, y = (torch.stack([across[:, k], down[:, k], first[:, k]], dim=1) for k in range(2))
    return x, y, torch.cat([g, h, torch.ones_like(g)], dim=1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Perspective:
    """See each image from aside: its corners go towards the centre, each by its own uniform parts; bilinear, 0 outside.

    Attributes:
        distortion: largest move of a corner, as a part of half the width and of half the height; at most 0.5.
        probability: share of the images that are distorted.
    """

    kind: Literal["perspective"] = "perspective"
    distortion: Annotated[float, within(0, 0.5)] = 0.2
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count, 4, 2) moves of the top left, top right, bottom right and bottom left corners, x then y."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(0.0, count, 0.0, self.distortion, self.probability, generator, (4, 2))

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""
        return perspective_matrix(drawn, size)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Distort each image (N, C, H, W) by its draw."""
        from gradlab.augmentation._call import warp_by

        return warp_by(self, images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
