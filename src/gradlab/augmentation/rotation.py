"""Rotation about the centre of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def rotation_matrix(degrees: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that turn images by (N,) degrees, counter-clockwise if positive."""
    from gradlab.augmentation._warp import matrix_of

    angle = degrees.double().deg2rad()
    cos, sin = angle.cos(), angle.sin()
    return matrix_of([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], len(degrees))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rotation:
    """Turn each image by a uniform angle in ±`degrees`; bilinear, 0 outside.

    Attributes:
        degrees: largest angle either way, in degrees.
        probability: share of the images that are turned.
    """

    kind: Literal["rotation"] = "rotation"
    degrees: Annotated[float, within(0, 180, "degrees")] = 10.0
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count,) angles in degrees, counter-clockwise if positive."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(0.0, count, -self.degrees, self.degrees, self.probability, generator)

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:  # noqa: ARG002
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""
        return rotation_matrix(drawn)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Turn each image (N, C, H, W) by its angle."""
        from gradlab.augmentation._call import warp_by

        return warp_by(self, images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
