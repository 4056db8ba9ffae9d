"""Configuration of a CNN, plain or residual; loads torch only to build the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.models import cnn_plan
from gradlab.models.cnn_plan import Convolution, Plan
from gradlab.models.mlp import Activation, Init
from gradlab.types import STRICT, Count, Probability, UserError, later

if TYPE_CHECKING:
    from gradlab.models.cnn_network import CNNNetwork

Few = Annotated[int, Field(ge=1, le=1000)]
"""How many of something a stage or a block may hold."""
Kernel = Annotated[int, Field(ge=1, le=15)]
"""Height and width of a convolution, in pixels."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CNN:
    """A stem, stages of convolutions in blocks, the mean over all places, and a linear head.

    A residual net and its plain twin (`residual=False`, all else equal) hold the same layers under the same names and
    start from the same bits. Skips have no parameters unless they are projections: the identity, and where a stage
    begins every `stride`-th place with zeros for the channels that are new (He et al., 2016, arXiv:1512.03385, option
    A). With three stages and blocks of two layers the net has 6·blocks + 2 layers, so `CNN(blocks=3, residual=True)` is
    ResNet-20.

    Attributes:
        widths: channels of each stage; the first is the stem's as well.
        blocks: blocks in each stage.
        layers_per_block: convolutions inside one block.
        stride: of the first convolution of every stage but the first; 2 halves height and width.
        activation: the non-linearity.
        norm: normalisation after each convolution; convolutions have a bias where there is none.
        dropout: probability of zeroing a number that the head reads.
        init: "he" draws N(0, gain²/fan_in) with zero biases, "xavier" likewise has zero biases, "default" is PyTorch's.
        residual: adds each block's input to its output.
        activation_place: of a block's last layer: "after-sum", or "inside" the branch.
        stage_blocks: blocks of every stage by itself, such as 3 4 6 3, instead of blocks.
        strides: of the first convolution of every stage, the first included, instead of stride.
        stem: channels of the stem where they are not those of the first stage; 0 for no stem.
        stem_kernel: of the stem. stem_stride: likewise. stem_pool: whether a 3×3 maximum with stride 2 follows it.
        kernel: height and width of the convolutions in blocks.
        padding: "same" puts (kernel - 1) // 2 zeros on each side, "none" none.
        pool: the maximum or mean of 2×2 places at the end of stages.
        pool_after: stages, counted from 1, that end with pooling; all of them where it is left out.
        shortcut: of a block that changes the shape: "zeros" (option A), "projection" (a 1×1 convolution with norm,
            option B, which adds parameters), or "equal" (none: only blocks that keep the shape have a skip).
        end: what the head reads: each channel's mean, or all places ("flatten").
        hidden: widths of hidden linear layers before the head; none where it is left out.
        names: of the layers: gradlab's own ("stages"), those of published ResNets ("torchvision": downsample and fc;
            "cifar-resnet": shortcut and linear), or numbers as in `nn.Sequential` ("numbers").
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
    stage_blocks: tuple[Few, ...] | None = later(None)
    strides: tuple[Literal[1, 2], ...] | None = later(None)
    stem: Annotated[int, Field(ge=0)] | None = later(None)
    stem_kernel: Kernel = later(3)
    stem_stride: Literal[1, 2] = later(1)
    stem_pool: bool = later(False)
    kernel: Kernel = later(3)
    padding: Literal["same", "none"] = later("same")
    pool: Literal["none", "max", "mean"] = later("none")
    pool_after: tuple[Count, ...] | None = later(None)
    shortcut: Literal["zeros", "projection", "equal"] = later("zeros")
    end: Literal["mean", "flatten"] = later("mean")
    hidden: tuple[Count, ...] | None = later(None)
    names: Literal["stages", "torchvision", "cifar-resnet", "numbers"] = later("stages")

    def __post_init__(self) -> None:
        if not self.widths:
            raise UserError("widths must name the channels of at least one stage, for example (16, 32, 64).")
        for name in ("stage_blocks", "strides"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.widths):
                raise UserError(
                    f"{name} needs one number for each of the {len(self.widths)} stages, got {value}; "
                    "name as many as there are widths."
                )
        if any(stage > len(self.widths) for stage in self.pool_after or ()):
            raise UserError(
                f"pool_after counts the {len(self.widths)} stages from 1, got {self.pool_after}; name stages that are there."
            )
        self._check_skips()

    def _check_skips(self) -> None:
        channels = [*([self.stem] if self.stem else []), *self.widths]
        if self.residual and self.shortcut == "zeros" and channels != sorted(channels):
            raise UserError(
                f"the skips of a residual CNN add channels and take none away, got widths {self.widths}; "
                "order them from narrow to wide, or take the shortcut projection."
            )
        if self.residual and (self.kernel % 2 == 0 or self.padding == "none"):
            raise UserError(
                f"a block's input can be added only where its convolutions keep the size, got kernel {self.kernel} and "
                f"padding {self.padding}; take an odd kernel and the padding same."
            )
        if self.names == "numbers" and (self.residual or self.norm != "none"):
            raise UserError("layers are named by numbers only in plain nets without norms; leave names out.")

    @property
    def blocks_by_stage(self) -> tuple[int, ...]:
        """Number of blocks of every stage."""
        return self.stage_blocks or (self.blocks,) * len(self.widths)

    @property
    def strides_by_stage(self) -> tuple[int, ...]:
        """Stride of every stage's first convolution."""
        return self.strides or (1, *(self.stride,) * (len(self.widths) - 1))

    @property
    def stem_channels(self) -> int:
        """Channels of the stem; 0 where there is none."""
        return self.widths[0] if self.stem is None else self.stem

    def plan(self, input_shape: Sequence[int]) -> Plan:
        """Work out every layer for images of shape (C, H, W).

        Raises:
            UserError: no shape of images, or a stage that would have to shrink a single pixel.
        """
        return cnn_plan.plan_of(self, input_shape)

    def convolutions(self, input_shape: Sequence[int]) -> list[Convolution]:
        """List the convolutions in the order in which they run on images of shape (C, H, W), the stem first, skips left out."""
        return self.plan(input_shape).convolutions()

    def parameter_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the trainable numbers for images of `input_shape` (C, H, W) and `classes` outputs."""
        return cnn_plan.parameter_count(self, self.plan(input_shape), classes)

    def flop_count(self, input_shape: Sequence[int], classes: int) -> int:
        """Count the FLOPs of convolutions and linear layers for one image, a multiplication and an addition counted as two."""
        return cnn_plan.flop_count(self, self.plan(input_shape), classes)

    def describe(self, input_shape: Sequence[int], classes: int) -> str:
        """Name the layers in one line, such as "stem 3→16, 6 × 16 at 32×32, 6 × 32 at 16×16, mean, head 32→10"."""
        return cnn_plan.describe(self, self.plan(input_shape), classes)

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
