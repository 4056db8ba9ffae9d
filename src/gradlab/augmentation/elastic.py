"""Elastic distortion by a smooth random field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def smooth(numbers: Tensor, sigma: float) -> Tensor:
    """Blur fields (..., H, W) by a Gaussian of `sigma` pixels, cut at 4 sigma; 0 outside."""
    width = _smoothing(numbers.shape[-1], sigma)
    height = _smoothing(numbers.shape[-2], sigma)
    return height @ (numbers @ width)


def _smoothing(length: int, sigma: float) -> Tensor:
    import torch

    reach = int(4 * sigma + 0.5)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / sigma) ** 2)
    place = torch.arange(length)
    distance = place[:, None] - place
    table = (weights / weights.sum())[distance.clamp(-reach, reach) + reach]
    return torch.where(distance.abs() <= reach, table, 0.0).float()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Elastic:
    """Move each pixel by a smooth random field (Simard et al., 2003, section 2); bilinear, 0 outside.

    Each component of the field is `alpha` times uniform noise in (-1, 1), blurred with a Gaussian of `sigma` pixels.
    Pixels away from the border move by 0.16 · alpha / sigma pixels (standard deviation); those in a corner by half of that.

    Attributes:
        alpha: strength of the field in pixels, before the blur.
        sigma: of the blur in pixels; larger is smoother and weaker.
        probability: share of the images that are distorted.
    """

    kind: Literal["elastic"] = "elastic"
    alpha: Annotated[float, within(0, 1000, "pixels")] = 34.0
    sigma: Annotated[float, within(0.5, 100, "pixels")] = 4.0
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw (count, 2, H, W) displacements in pixels, x then y: where the input is read, less where it is shown."""
        from gradlab.augmentation._draws import chosen, spread, uniform_bytes

        rows = chosen(count, self.probability, generator)
        noise = uniform_bytes((int(rows.sum()), 2, *size[1:]), generator)
        return spread(smooth(noise, self.sigma).mul_(self.alpha), rows)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Show at p what each image (N, C, H, W) has at p + its displacement at p."""
        import torch

        from gradlab.augmentation._checks import check_drawn
        from gradlab.augmentation._warp import warp

        check_drawn(images, drawn)
        return warp(images, torch.eye(3, dtype=torch.float64).expand(len(images), 3, 3), drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
