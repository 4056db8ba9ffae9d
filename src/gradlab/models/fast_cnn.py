"""Configuration of a small CNN made to train fast without a GPU; loads torch only to build the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, UserError, later

if TYPE_CHECKING:
    from gradlab.models.fast_cnn_network import FastCNNNetwork


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FastCNN:
    """A CNN that learns small images in a few epochs: a whitening first layer, stages of two convolutions, and a head.

    After Page (2018, "How to train your ResNet") and Jordan (2024, arXiv:2404.00498). The first layer is frozen: its filters
    and their negatives make patches of training images uncorrelated, with equal variance; no label is read. A stage is a
    convolution, a maximum of 2×2 places, and a second convolution, each followed by a batch norm without scale and by
    the activation; filters start as the identity of as many channels as there are. The head reads the largest value of
    each channel and starts at zero.

    Attributes:
        widths: channels of each stage; each halves height and width.
        patch: height and width of the patches that the first layer whitens.
        activation: the non-linearity.
        norm_momentum: weight of a batch in the running statistics; large, since few steps are taken.
        fixed_stem: leave the bias of the first layer at zero; no gradient then goes back to full resolution.
        mirror: in eval mode the logits are the mean over the image and its mirror image, for twice the work.
        shifted: in eval mode the logits are the mean over the image and the image moved by a pixel, down right and up left,
            with a mirrored border, for three times the work; with `mirror` over the mirror images of all three as well.
        tiled: compute the gradient of filters on small maps from several images side by side; the same up to rounding,
            and faster in bf16 on a CPU with units for it.
    """

    kind: Literal["fast-cnn"] = "fast-cnn"
    widths: tuple[Count, ...] = (64, 128, 256)
    patch: Annotated[int, Field(ge=1, le=7)] = 2
    activation: Literal["relu", "gelu", "silu"] = "silu"
    norm_momentum: Annotated[float, Field(gt=0, le=1)] = 0.4
    fixed_stem: bool = later(False)
    mirror: bool = later(False)
    shifted: bool = later(False)
    tiled: bool = later(False)

    def __post_init__(self) -> None:
        if not self.widths:
            raise UserError(
                "widths must name the channels of at least one stage, for example (64, 128, 256)."
            )

    @property
    def views(self) -> int:
        """In how many ways an image is seen in eval mode."""
        return (2 if self.mirror else 1) * (3 if self.shifted else 1)

    def stem_channels(self, input_shape: Sequence[int]) -> int:
        """Count the filters of the first layer: two for each number of a patch."""
        return 2 * input_shape[0] * self.patch**2

    def sizes(self, input_shape: Sequence[int]) -> list[tuple[int, int]]:
        """Return (height, width) after the first layer and after every stage, for images of shape (C, H, W).

        Raises:
            UserError: no shape of images, or one that is too small.
        """
        shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
        if len(shape) != 3 or min(shape) < 1:
            raise UserError(
                f"a fast CNN needs an input shape (C, H, W), such as (3, 32, 32), got {input_shape}."
            )
        cut = 1 - self.patch
        found = [(shape[1] + cut, shape[2] + cut)]
        for _ in self.widths:
            found.append((found[-1][0] // 2, found[-1][1] // 2))
        if min(found[-1]) < 1:
            least = 2 ** len(self.widths) - cut
            raise UserError(
                f"{len(self.widths)} stages need images of at least {least}×{least} pixels, got {shape[1]}×{shape[2]}; give "
                "larger images or fewer widths."
            )
        return found

    def parameter_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the numbers of its parameters, frozen ones included, for images of `input_shape` (C, H, W)."""
        self.sizes(input_shape)
        channels = self.stem_channels(input_shape)
        found = channels * (input_shape[0] * self.patch**2 + 1)
        for width in self.widths:
            found += 9 * (channels + width) * width + 4 * width
            channels = width
        return found + channels * classes

    def flop_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the FLOPs of convolutions and head for one image in eval mode; multiplication and addition are two."""
        sizes, channels = self.sizes(input_shape), self.stem_channels(input_shape)
        found = channels * input_shape[0] * self.patch**2 * math.prod(sizes[0])
        for width, before, after in zip(self.widths, sizes, sizes[1:], strict=False):
            found += 9 * width * (channels * math.prod(before) + width * math.prod(after))
            channels = width
        return 2 * self.views * (found + channels * classes)

    def describe(self, input_shape: Sequence[int], classes: int) -> str:
        """Name the layers in one line, such as "whitening of 2×2 pixels to 24, 2 × 64 to 15×15, …, largest, head 256→10"."""
        sizes, patch = self.sizes(input_shape), f"{self.patch}×{self.patch}"
        parts = [f"whitening of {patch} pixels to {self.stem_channels(input_shape)}"]
        parts += [
            f"2 × {width} to {height}×{breadth}"
            for width, (height, breadth) in zip(self.widths, sizes[1:], strict=True)
        ]
        parts += ["largest", f"head {self.widths[-1]}→{classes}"]
        seen = ["mean with the mirror image"] if self.mirror else []
        if self.shifted:
            seen = ["mean over shifts by a pixel" + (" and mirror images" if self.mirror else "")]
        return ", ".join([*parts, *seen])

    def build(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        seed: int,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> FastCNNNetwork:
        """Build the network for images of `input_shape` (C, H, W) in [0, 1], with the initial bits of `seed`.

        Its first layer is still to be whitened, which `fit` does, or `gradlab.models.whiten`.
        """
        from gradlab.models.fast_cnn_network import build_fast_cnn

        return build_fast_cnn(self, input_shape, classes, seed=seed, mean=mean, std=std)
