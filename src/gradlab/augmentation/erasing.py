"""Random erasing of a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, Share, ordered, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Erasing:
    """Erase one box of each chosen image (Zhong et al., 2017, arXiv:1708.04896).

    The box's area is uniform, its height/width uniform on the log scale among those that fit into the image, its place
    uniform among those inside; sides are rounded to whole pixels. (The paper draws area, ratio and place again until
    the box fits, which makes large boxes rarer.)

    Attributes:
        smallest: area of the box, as a part of the image.
        largest: area of the box, as a part of the image.
        ratio: height/width lies in [ratio, 1/ratio].
        fill: what stands in the box: "noise" (each pixel and channel a uniform one of 256 grey
            levels, the paper's best) or "black" (0).
        probability: share of the images of which a box is erased.
    """

    kind: Literal["erasing"] = "erasing"
    smallest: Share = 0.02
    largest: Share = 0.4
    ratio: Annotated[float, within(0.01, 1)] = 0.3
    fill: Literal["noise", "black"] = "noise"
    probability: Chance = 0.5

    def __post_init__(self) -> None:
        ordered("smallest and largest", self.smallest, self.largest)

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw (count, 4) boxes: top, left, height, width in whole pixels, height 0 for none; then the C·H·W fills."""
        import torch

        from gradlab.augmentation._draws import chosen, spread, uniform_bytes

        rows = chosen(count, self.probability, generator)
        boxes = draw_boxes(
            torch.rand(4, count, generator=generator), size, self.smallest, self.largest, self.ratio
        )
        boxes = torch.where(rows[:, None], boxes, 0.0)
        if self.fill == "black":
            return boxes
        numbers = size[0] * size[1] * size[2]
        grey = uniform_bytes((int(rows.sum()), numbers), generator).mul_(128).add_(127.5).div_(255)
        return torch.cat([boxes, spread(grey, rows)], dim=1)

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Erase its box from each image (N, C, H, W)."""
        import torch

        from gradlab.augmentation._box import inside
        from gradlab.augmentation._checks import check_drawn

        check_drawn(images, drawn)
        drawn = drawn.to(images.device)
        mask = inside(drawn[:, :4], *images.shape[-2:])
        fills = (
            drawn[:, 4:].view(images.shape).to(images.dtype)
            if self.fill == "noise"
            else torch.zeros_like(images[:1])
        )
        return torch.where(mask, fills, images)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)


def draw_boxes(
    numbers: Tensor, size: tuple[int, int, int], smallest: float, largest: float, ratio: float
) -> Tensor:
    """Turn (4, N) uniform numbers in [0, 1) into (N, 4) boxes: top, left, height, width in whole pixels."""
    import torch

    _, height, width = size
    pixels = (smallest + (largest - smallest) * numbers[0].double()) * (height * width)
    low = (pixels / width**2).clamp(min=ratio)
    high = (height**2 / pixels).clamp(max=1 / ratio)
    low = low.minimum(height**2 / pixels)  # where no ratio fits, the nearest that does
    high = high.maximum(pixels / width**2)
    ratios = torch.exp(low.log() + (high.log() - low.log()) * numbers[1])
    tall = (pixels * ratios).sqrt().round().clamp(0, height)
    wide = (pixels / ratios).sqrt().round().clamp(0, width)
    top = (numbers[2] * (height - tall + 1)).floor()
    left = (numbers[3] * (width - wide + 1)).floor()
    return torch.stack([top, left, tall, wide], dim=1).float()
