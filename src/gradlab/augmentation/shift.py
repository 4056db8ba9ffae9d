"""Shift along both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, Share
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def shift_matrix(shifts: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Matrices (N, 3, 3) that move images of size (C, H, W) by (N, 2) parts of width (right) and height (down)."""
    from gradlab.augmentation._warp import matrix_of

    _, height, width = size
    right, down = shifts.double().unbind(1)
    return matrix_of([[1, 0, -width * right], [0, 1, -height * down], [0, 0, 1]], len(shifts))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shift:
    """Move each image by uniform parts of its width and height in ±`fraction`; bilinear, 0 outside.

    Attributes:
        fraction: largest shift either way, as a part of the width and of the height.
        probability: share of the images that are moved.
    """

    kind: Literal["shift"] = "shift"
    fraction: Share = 0.05
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count, 2) shifts: right as a part of the width, down as a part of the height."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(0.0, count, -self.fraction, self.fraction, self.probability, generator, (2,))

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""
        return shift_matrix(drawn, size)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Move each image (N, C, H, W) by its draw."""
        from gradlab.augmentation._call import warp_by

        return warp_by(self, images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
