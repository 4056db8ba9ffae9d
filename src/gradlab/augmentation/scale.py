"""Scaling about the centre of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, ordered, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def scale_matrix(factors: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that enlarge images by (N,) factors."""
    from gradlab.augmentation._warp import matrix_of

    inverse = 1 / factors.double()
    return matrix_of([[inverse, 0, 0], [0, inverse, 0], [0, 0, 1]], len(factors))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Scale:
    """Enlarge each image about its centre by a uniform factor; bilinear, 0 outside.

    Attributes:
        smallest: factor, below 1 to shrink.
        largest: factor, above 1 to enlarge.
        probability: share of the images that are scaled.
    """

    kind: Literal["scale"] = "scale"
    smallest: Annotated[float, within(0.1, 10)] = 0.95
    largest: Annotated[float, within(0.1, 10)] = 1.05
    probability: Chance = 1.0

    def __post_init__(self) -> None:
        ordered("smallest and largest", self.smallest, self.largest)

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count,) factors."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(1.0, count, self.smallest, self.largest, self.probability, generator)

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:  # noqa: ARG002
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""
        return scale_matrix(drawn)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Scale each image (N, C, H, W) by its draw."""
        from gradlab.augmentation._call import warp_by

        return warp_by(self, images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
