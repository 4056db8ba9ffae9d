"""Gaussian noise on the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Noise:
    """Add independent Gaussian noise to every pixel and channel, cut to [0, 1].

    Attributes:
        strength: standard deviation on the [0, 1] pixel scale.
        probability: share of the images that get noise.
    """

    kind: Literal["noise"] = "noise"
    strength: Annotated[float, within(0, 1, "on the pixel scale")] = 0.05
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw (count, C, H, W) of what is added, 0 in images without noise."""
        import torch

        from gradlab.augmentation._draws import chosen, spread

        rows = chosen(count, self.probability, generator)
        numbers = torch.randn(int(rows.sum()), *size, generator=generator).mul_(self.strength)
        return spread(numbers, rows)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Add its noise to each image (N, C, H, W)."""
        from gradlab.augmentation._checks import check_drawn

        check_drawn(images, drawn)
        return (images + drawn.to(images.device)).clamp_(0, 1).to(images.dtype)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
