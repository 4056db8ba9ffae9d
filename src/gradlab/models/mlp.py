"""Configuration of an MLP, plain or residual; loads torch only to build the network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, Probability, UserError

if TYPE_CHECKING:
    from gradlab.models.mlp_network import MLPNetwork

Activation = Literal["relu", "tanh", "sigmoid", "leaky-relu", "gelu"]
Norm = Literal["none", "batch", "layer"]
WIDTHS = (16, 64)
"""Default widths, here and of `gradlab train`; records hold them beside widths of any number."""
DEPTH = 2
Init = Literal["default", "he", "xavier"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MLP:
    """A stem, `depth` linear layers in blocks, and a linear head; every image is normalised first.

    A residual net and its plain twin (`residual=False`, all else equal) hold the same layers under the same
    names and start from the same bits; they differ in the skip alone (He et al., 2016, arXiv:1512.03385).

    Attributes:
        width: units of every hidden layer.
        depth: linear layers between stem and head.
        widths: hidden widths one by one instead of width and depth, such as 128 64; the first is the stem's; left out:
            all alike.
        activation: the non-linearity.
        norm: normalisation after each linear layer but the head.
        dropout: probability of zeroing a unit. dropout_place: after every activation, or once in a block, at its end.
        init: "default" is PyTorch's (Kaiming uniform with a = sqrt(5)); "he" and "xavier" have zero biases.
        residual: adds each block's input to its output.
        layers_per_block: linear layers inside one block; must divide the depth.
        activation_place: of a block's last layer: "inside" the branch, or "after-sum".
        stem_activation: whether the stem ends with norm, activation and dropout.
    """

    width: Count = WIDTHS[0]
    depth: int = DEPTH
    widths: tuple[Count, ...] | None = None
    activation: Activation = "relu"
    norm: Norm = "none"
    dropout: Probability = 0.0
    dropout_place: Literal["every-layer", "block-end"] = "every-layer"
    init: Init = "default"
    residual: bool = False
    layers_per_block: Count = 1
    activation_place: Literal["inside", "after-sum"] = "inside"
    stem_activation: bool = True

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise UserError(
                f"depth counts the linear layers between stem and head and must be at least 0, got {self.depth}."
            )
        hidden = self.hidden
        if not hidden:
            raise UserError("widths must name at least the stem's width, for example widths=(128, 64).")
        layers = len(hidden) - 1
        if self.widths is not None and self.width not in WIDTHS:
            raise UserError(
                f"widths say the width of every layer, {hidden}, and width {self.width} would be ignored; leave one out."
            )
        if self.depth not in (DEPTH, layers):  # records hold the default beside widths of any number
            raise UserError(
                f"widths say the depth themselves, and {hidden} have depth {layers}, since the first is the stem's, got "
                f"depth {self.depth}; leave the depth out, or name {self.depth + 1} widths."
            )
        if layers % self.layers_per_block:
            raise UserError(
                f"layers_per_block must divide the depth, got {self.layers_per_block} for depth {layers}; "
                f"use a depth that is a multiple of {self.layers_per_block}."
            )
        if self.residual and len(set(hidden)) > 1:
            raise UserError(
                f"a residual MLP needs one width throughout, got widths {hidden}; use width and depth instead."
            )

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the stem and of the layers after it."""
        return self.widths if self.widths is not None else (self.width,) * (self.depth + 1)

    def parameter_count(self, input_size: int | Sequence[int], classes: int) -> int:
        """Count the trainable numbers for `input_size` pixels, or images of that shape, and `classes` outputs."""
        sizes = (_pixels(input_size), *self.hidden, classes)
        linear = sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))
        if self.norm == "none":
            return linear
        normed = self.hidden if self.stem_activation else self.hidden[1:]
        return linear + 2 * sum(normed)

    def flop_count(self, input_size: int | Sequence[int], classes: int) -> int:
        """Count the FLOPs of the linear layers for one image, a multiplication and an addition counted as two."""
        return 2 * sum(a * b for a, b in itertools.pairwise((_pixels(input_size), *self.hidden, classes)))

    def describe(self, input_size: int | Sequence[int], classes: int) -> str:
        """Name the layers in one line, such as "stem 784→16, 32 × 16→16, head 16→10"."""
        hidden = self.hidden
        if len(set(hidden)) == 1 and len(hidden) > 1:
            middle = f"{len(hidden) - 1} × {hidden[0]}→{hidden[0]}"
        else:
            middle = ", ".join(f"{a}→{b}" for a, b in itertools.pairwise(hidden))
        blocks = f" in blocks of {self.layers_per_block}" if middle and self.layers_per_block > 1 else ""
        skip = " with skips" if self.residual else ""
        parts = [
            f"stem {_pixels(input_size)}→{hidden[0]}",
            middle + blocks + skip,
            f"head {hidden[-1]}→{classes}",
        ]
        return ", ".join(part for part in parts if part)

    def build(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        seed: int,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> MLPNetwork:
        """Build the network for images of `input_shape` (C, H, W) in [0, 1], with the initial bits of `seed`."""
        from gradlab.models.mlp_network import build_mlp

        return build_mlp(self, input_shape, classes, seed=seed, mean=mean, std=std)


def _pixels(input_size: int | Sequence[int]) -> int:
    """Return the number of pixels, given as it is or as a shape (C, H, W)."""
    return math.prod(input_size) if isinstance(input_size, Sequence) else input_size
