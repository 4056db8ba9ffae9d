"""Horizontal shear about the centre of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def shear_matrix(degrees: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that lean images by (N,) degrees, their top to the right if positive."""
    from gradlab.augmentation._warp import matrix_of

    return matrix_of([[1, degrees.double().deg2rad().tan(), 0], [0, 1, 0], [0, 0, 1]], len(degrees))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shear:
    """Lean each image by a uniform angle in ±`degrees` while its rows stay rows; bilinear, 0 outside.

    Attributes:
        degrees: largest angle of the vertical either way, in degrees.
        probability: share of the images that are sheared.
    """

    kind: Literal["shear"] = "shear"
    degrees: Annotated[float, within(0, 75, "degrees")] = 10.0
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count,) angles in degrees; the top leans to the right if positive."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(0.0, count, -self.degrees, self.degrees, self.probability, generator)

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:  # noqa: ARG002
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""
        return shear_matrix(drawn)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Shear each image (N, C, H, W) by its draw."""
        from gradlab.augmentation._call import warp_by

        return warp_by(self, images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
