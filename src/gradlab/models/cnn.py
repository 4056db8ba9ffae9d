"""Configuration of a CNN, plain or residual; loads torch only to build the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.models.mlp import Activation, Init
from gradlab.types import STRICT, Count, Probability, UserError

if TYPE_CHECKING:
    from gradlab.models.cnn_network import CNNNetwork

KERNEL = 3
"""Every convolution is 3×3 with a border of one zero, as in He et al. (2016)."""

Few = Annotated[int, Field(ge=1, le=1000)]
"""How many of something a stage or a block may hold."""


class Convolution(NamedTuple):
    """One convolution: its channels, its stride, and the (height, width) of what it puts out."""

    fan_in: int
    fan_out: int
    stride: int
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CNN:
    """A stem, stages of 3×3 convolutions in blocks, the mean over all places, and a linear head.

    A residual net and its plain twin (`residual=False`, all else equal) hold the same layers under the same names and
    start from the same bits. Skips have no parameters: the identity, and where a stage begins every `stride`-th place
    with zeros for the channels that are new (He et al., 2016, arXiv:1512.03385, option A). With three stages and
    blocks of two layers the net has 6·blocks + 2 layers, so `CNN(blocks=3, residual=True)` is ResNet-20.

    Attributes:
        widths: channels of each stage; the first is the stem's as well.
        blocks: blocks in each stage.
        layers_per_block: convolutions inside one block.
        stride: of the first convolution of every stage but the first; 2 halves height and width.
        activation: the non-linearity.
        norm: normalisation after each convolution; convolutions have a bias where there is none.
        dropout: probability of zeroing a channel's mean before the head.
        init: "he" draws N(0, gain²/fan_in) with zero biases, "xavier" likewise has zero biases, "default" is PyTorch's.
        residual: adds each block's input to its output.
        activation_place: of a block's last layer: "after-sum", or "inside" the branch.
    """

    kind: Literal["cnn"] = "cnn"
    widths: tuple[Count, ...] = (16, 32, 64)
    blocks: Few = 1
    layers_per_block: Few = 2
    stride: Literal[1, 2] = 2
    activation: Activation = "relu"
    norm: Literal["none", "batch"] = "batch"
    dropout: Probability = 0.0
    init: Init = "he"
    residual: bool = False
    activation_place: Literal["inside", "after-sum"] = "after-sum"

    def __post_init__(self) -> None:
        if not self.widths:
            raise UserError("widths must name the channels of at least one stage, for example (16, 32, 64).")
        if self.residual and list(self.widths) != sorted(self.widths):
            raise UserError(
                f"the skips of a residual CNN add channels and take none away, got widths {self.widths}; "
                "order them from narrow to wide."
            )

    def convolutions(self, input_shape: Sequence[int]) -> list[Convolution]:
        """List the convolutions in the order in which they run on images of shape (C, H, W), the stem first.

        Raises:
            UserError: no shape of images, or a stage that would have to shrink a single pixel.
        """
        channels, height, width = self._checked(input_shape)
        size = (height, width)
        found = [Convolution(channels, self.widths[0], 1, size)]
        for stage, fan_out in enumerate(self.widths):
            for layer in range(self.blocks * self.layers_per_block):
                stride = self.stride if stage and not layer else 1
                size = (math.ceil(size[0] / stride), math.ceil(size[1] / stride))
                found.append(Convolution(found[-1].fan_out, fan_out, stride, size))
        return found

    def parameter_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the trainable numbers for images of `input_shape` (C, H, W) and `classes` outputs."""
        extra = 1 if self.norm == "none" else 2  # a bias, or the norm's weight and bias
        layers = self.convolutions(input_shape)
        body = sum((one.fan_in * KERNEL**2 + extra) * one.fan_out for one in layers)
        return body + (self.widths[-1] + 1) * classes

    def flop_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the FLOPs of convolutions and head for one image, a multiplication and an addition counted as two."""
        products = sum(
            one.fan_in * KERNEL**2 * one.fan_out * math.prod(one.size)
            for one in self.convolutions(input_shape)
        )
        return 2 * (products + self.widths[-1] * classes)

    def describe(self, input_shape: Sequence[int], classes: int) -> str:
        """Name the layers in one line, such as "stem 3→16, 6 × 16 at 32×32, 6 × 32 at 16×16, mean, head 32→10"."""
        layers = self.convolutions(input_shape)
        number = self.blocks * self.layers_per_block
        last = layers[number::number]  # the last of every stage
        stages = [f"{number} × {one.fan_out} at {one.size[0]}×{one.size[1]}" for one in last]
        blocks = f" in blocks of {self.layers_per_block}" if self.layers_per_block > 1 else ""
        stages[-1] += blocks + (" with skips" if self.residual else "")
        ends = f"stem {layers[0].fan_in}→{self.widths[0]}", f"head {self.widths[-1]}→{classes}"
        return ", ".join([ends[0], *stages, "mean", ends[1]])

    def build(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        seed: int,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> CNNNetwork:
        """Build the network for images of `input_shape` (C, H, W) in [0, 1], with the initial bits of `seed`."""
        from gradlab.models.cnn_network import build_cnn

        return build_cnn(self, input_shape, classes, seed=seed, mean=mean, std=std)

    def _checked(self, input_shape: Sequence[int]) -> tuple[int, int, int]:
        shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
        if len(shape) != 3 or min(shape) < 1:
            raise UserError(f"a CNN needs an input shape (C, H, W), such as (1, 28, 28), got {input_shape}.")
        channels, height, width = shape
        most = 1 + math.ceil(math.log2(min(height, width)))
        if self.stride == 2 and len(self.widths) > most:
            raise UserError(
                f"{len(self.widths)} stages with stride 2 would shrink images of {height}×{width} pixels below one pixel; "
                f"take at most {most} {'stage' if most == 1 else 'stages'}, or stride 1."
            )
        return channels, height, width
