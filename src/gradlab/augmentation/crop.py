"""Random crop of the image with a border, of zeros or mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import within
from gradlab.types import STRICT, UserError, later

if TYPE_CHECKING:
    from torch import Generator, Tensor

Border = Literal["zeros", "mirror"]


def crop(images: Tensor, moves: Tensor, padding: int, border: Border = "zeros") -> Tensor:
    """Cut images (N, C, H, W), set in a border, at (N, 2) whole pixels down and right of where they were."""
    import torch
    from torch.nn import functional

    height, width = images.shape[-2:]
    down, right = (moves.to(images.device, torch.int64) + padding).unbind(1)
    mode = "reflect" if border == "mirror" else "constant"
    padded = functional.pad(images, (padding,) * 4, mode=mode)
    windows = padded.unfold(-2, height, 1).unfold(-2, width, 1)
    return windows[torch.arange(len(images), device=images.device), :, down, right]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Crop:
    """Set each image in a border and cut one of its size at a uniform place; exact.

    Attributes:
        padding: width of the border in pixels, so that images move by at most that many whole pixels.
        border: zeros, or the image mirrored at its edge.
    """

    kind: Literal["crop"] = "crop"
    padding: Annotated[int, within(0, unit="pixels")] = 4
    border: Border = later("zeros")

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw (count, 2) whole pixels in ±padding: how far the cut lies below and to the right of the image.

        Raises:
            UserError: the border is as wide as the image, which a cut could then miss.
        """
        import torch

        if self.padding >= min(size[1:]):
            raise UserError(
                f"padding must be smaller than the image, got {self.padding} for images of {size[1]}×{size[2]} pixels; "
                f"take an eighth of the size, such as {max(1, min(size[1:]) // 8)}."
            )
        places = torch.randint(-self.padding, self.padding + 1, (count, 2), generator=generator)
        return places.float()

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Cut each image (N, C, H, W) at its place."""
        from gradlab.augmentation._checks import check_drawn

        check_drawn(images, drawn)
        return crop(images, drawn, self.padding, self.border)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
