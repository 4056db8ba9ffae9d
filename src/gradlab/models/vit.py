"""Configuration of a vision transformer; loads torch only to build the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, Probability, UserError

if TYPE_CHECKING:
    from gradlab.models.vit_network import ViTNetwork


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ViT:
    """A vision transformer: patches as tokens, blocks of self-attention and an MLP, and a linear head.

    As in Dosovitskiy et al. (2021, arXiv:2010.11929), with norms before each branch and learned positions. The default
    is small enough for images of 32×32 pixels and a computer without a GPU.

    Attributes:
        patch: height and width of a patch in pixels; divides those of the image.
        width: numbers that stand for a token; a multiple of heads.
        depth: blocks.
        heads: of the attention.
        expansion: hidden units of a block's MLP, as a multiple of the width.
        dropout: probability of zeroing a number that a branch adds.
        end: what the head reads: the mean of all tokens, or a token of its own ("class-token").
    """

    kind: Literal["vit"] = "vit"
    patch: Count = 4
    width: Count = 128
    depth: Count = 6
    heads: Count = 4
    expansion: Count = 2
    dropout: Probability = 0.0
    end: Literal["mean", "class-token"] = "mean"

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise UserError(
                f"every head takes an equal share of the width, got width {self.width} for {self.heads} heads; "
                f"use a width that is a multiple of {self.heads}."
            )

    def token_count(self, input_shape: Sequence[int]) -> int:
        """Count the tokens of an image of shape (C, H, W), the class token included.

        Raises:
            UserError: no shape of images, or one that patches do not divide.
        """
        shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
        if len(shape) != 3 or min(shape) < 1:
            raise UserError(f"a ViT needs an input shape (C, H, W), such as (3, 32, 32), got {input_shape}.")
        _, height, width = shape
        if height % self.patch or width % self.patch:
            near = [self.patch * max(1, round(side / self.patch)) for side in (height, width)]
            size = f"{near[0]}" if near[0] == near[1] else f"{near[0]}x{near[1]}"
            raise UserError(
                f"patches of {self.patch}×{self.patch} pixels do not divide images of {height}×{width}; "
                f"take another patch, or the nearest size of the images, NAME@{size}."
            )
        return (height // self.patch) * (width // self.patch) + (self.end == "class-token")

    def parameter_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the trainable numbers for images of `input_shape` (C, H, W) and `classes` outputs."""
        tokens, width, hidden = self.token_count(input_shape), self.width, self.expansion * self.width
        start = (input_shape[0] * self.patch**2 + 1 + tokens + (self.end == "class-token")) * width
        attention, mlp = 4 * (width + 1) * width, (width + 1) * hidden + (hidden + 1) * width
        return start + self.depth * (attention + mlp + 4 * width) + 2 * width + (width + 1) * classes

    def flop_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the FLOPs of products and attention for one image, a multiplication and an addition counted as two."""
        tokens, width = self.token_count(input_shape), self.width
        patches = tokens - (self.end == "class-token")
        block = (4 + 2 * self.expansion) * tokens * width**2 + 2 * tokens**2 * width
        return 2 * (patches * input_shape[0] * self.patch**2 * width + self.depth * block + width * classes)

    def describe(self, input_shape: Sequence[int], classes: int) -> str:
        """Name the layers in one line, such as "64 tokens of 4×4 pixels, 6 blocks of width 128 …, head 128→10"."""
        tokens, end = self.token_count(input_shape), self.end.replace("-", " ")
        size = f"{self.patch}×{self.patch}"
        blocks = f"{self.depth} blocks of width {self.width} with {self.heads} heads"
        return f"{tokens} tokens of {size} pixels, {blocks}, {end}, head {self.width}→{classes}"

    def build(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        seed: int,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> ViTNetwork:
        """Build the network for images of `input_shape` (C, H, W) in [0, 1], with the initial bits of `seed`."""
        from gradlab.models.vit_network import build_vit

        return build_vit(self, input_shape, classes, seed=seed, mean=mean, std=std)
