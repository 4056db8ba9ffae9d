"""Gaussian blur."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, ordered, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


def blur(images: Tensor, sigmas: Tensor, reach: int) -> Tensor:
    """Blur images (N, C, H, W) by Gaussians of (N,) pixels, cut at `reach` pixels; edge pixels go on outside."""
    import torch
    from torch.nn import functional

    steps = torch.arange(reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (steps / sigmas.double().cpu()[:, None]) ** 2)
    weights = weights / (weights[:, 0] + 2 * weights[:, 1:].sum(1))[:, None]
    weights = weights.to(images.device, images.dtype)
    across = functional.pad(images, (reach, reach, 0, 0), mode="replicate")
    images = _weigh(across, weights, -1)
    down = functional.pad(images, (0, 0, reach, reach), mode="replicate")
    return _weigh(down, weights, -2)


def _weigh(padded: Tensor, weights: Tensor, axis: int) -> Tensor:
    reach = weights.shape[1] - 1
    length = padded.shape[axis] - 2 * reach
    columns = weights[..., None, None, None].unbind(1)
    total = padded.narrow(axis, reach, length) * columns[0]
    for step in range(1, reach + 1):
        pair = padded.narrow(axis, reach - step, length) + padded.narrow(axis, reach + step, length)
        total += pair.mul_(columns[step])
    return total


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Blur:
    """Blur each image by a Gaussian of a uniform width; the edge pixels go on outside, so that borders do not darken.

    Attributes:
        smallest: standard deviation of the Gaussian in pixels; one of 0.1 changes nothing that can be seen.
        largest: standard deviation in pixels; the kernel is cut at 3 times this.
        probability: share of the images that are blurred.
    """

    kind: Literal["blur"] = "blur"
    smallest: Annotated[float, within(0, 100, "pixels")] = 0.1
    largest: Annotated[float, within(0, 100, "pixels")] = 1.0
    probability: Chance = 1.0

    def __post_init__(self) -> None:
        ordered("smallest and largest", self.smallest, self.largest)

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count,) standard deviations in pixels, 0 for none."""
        from gradlab.augmentation._draws import uniform_or

        return uniform_or(0.0, count, self.smallest, self.largest, self.probability, generator)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Blur each image (N, C, H, W) by its width."""
        from gradlab.augmentation._checks import check_drawn
        from gradlab.augmentation._rows import Rows, change_rows, working_dtype

        check_drawn(images, drawn)
        reach = math.ceil(3 * self.largest)

        def change(some: Tensor, rows: Rows) -> Tensor:
            return blur(some.to(working_dtype(some)), drawn[rows], reach).clamp_(0, 1).to(images.dtype)

        return change_rows(images, drawn > 0, change)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
