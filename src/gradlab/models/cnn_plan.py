"""What a configuration of a CNN makes of images of one shape: every convolution with its sizes, and the counts; no torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.models.cnn import CNN

Size = tuple[int, int]
"""(height, width) in pixels."""


class Convolution(NamedTuple):
    """One convolution: its channels, its stride, the (height, width) of what it puts out, and its kernel."""

    fan_in: int
    fan_out: int
    stride: int
    size: Size
    kernel: int = 3
    padding: int = 1


@dataclass(frozen=True)
class BlockPlan:
    """The convolutions of one block, and what its input is added through, if it is added."""

    convolutions: tuple[Convolution, ...]
    skip: Literal["none", "identity", "zeros", "projection"]

    @property
    def projection(self) -> Convolution | None:
        """The 1×1 convolution of the skip."""
        first, last = self.convolutions[0], self.convolutions[-1]
        if self.skip != "projection":
            return None
        return Convolution(first.fan_in, last.fan_out, first.stride, last.size, kernel=1, padding=0)


@dataclass(frozen=True)
class StagePlan:
    """The blocks of one stage, and the (height, width) after its pooling, if it ends with one."""

    blocks: tuple[BlockPlan, ...]
    pooled: Size | None


@dataclass(frozen=True)
class Plan:
    """A CNN from image to logits.

    Attributes:
        stem: the first convolution; None where the first stage has it.
        stem_pooled: (height, width) after the stem's pooling, if there is one.
        stages: in their order. features: numbers that the first linear layer reads.
    """

    stem: Convolution | None
    stem_pooled: Size | None
    stages: tuple[StagePlan, ...]
    features: int

    def convolutions(self) -> list[Convolution]:
        """List the convolutions on the way from image to head, the stem first, those of skips left out."""
        inner = [one for stage in self.stages for block in stage.blocks for one in block.convolutions]
        return [self.stem, *inner] if self.stem else inner

    def projections(self) -> list[Convolution]:
        """List the 1×1 convolutions of the skips."""
        found = [block.projection for stage in self.stages for block in stage.blocks]
        return [one for one in found if one is not None]


def plan_of(config: CNN, input_shape: Sequence[int]) -> Plan:
    """Work out every layer for images of shape (C, H, W).

    Raises:
        UserError: no shape of images, or a stage that would have to shrink a single pixel.
    """
    channels, size = _checked(config, input_shape)
    stem, pooled = None, None
    if config.stem_channels:
        kernel, stride = config.stem_kernel, config.stem_stride
        stem = _convolution(config, (channels, config.stem_channels), size, kernel, stride)
        channels, size = stem.fan_out, stem.size
        if config.stem_pool:
            pooled = size = (math.ceil(size[0] / 2), math.ceil(size[1] / 2))
    stages = []
    for number, width in enumerate(config.widths):
        stages.append(_stage(config, number, channels, size))
        channels, size = width, stages[-1].pooled or stages[-1].blocks[-1].convolutions[-1].size
    features = channels * (math.prod(size) if config.end == "flatten" else 1)
    return Plan(stem, pooled, tuple(stages), features)


def _stage(config: CNN, number: int, channels: int, size: Size) -> StagePlan:
    blocks, width = [], config.widths[number]
    for block in range(config.blocks_by_stage[number]):
        layers: list[Convolution] = []
        for layer in range(config.layers_per_block):
            stride = 1 if block or layer else config.strides_by_stage[number]
            layers.append(_convolution(config, (channels, width), size, config.kernel, stride))
            channels, size = width, layers[-1].size
        changes = layers[0].fan_in != width or layers[0].stride > 1
        skip: Literal["none", "identity", "zeros", "projection"] = "none"
        if config.residual and not changes:
            skip = "identity"
        elif config.residual and config.shortcut != "equal":
            skip = config.shortcut
        blocks.append(BlockPlan(tuple(layers), skip))
    pools = config.pool != "none" and (config.pool_after is None or number + 1 in config.pool_after)
    return StagePlan(tuple(blocks), _halved(size) if pools else None)


def _convolution(config: CNN, fans: tuple[int, int], size: Size, kernel: int, stride: int) -> Convolution:
    padding = (kernel - 1) // 2 if config.padding == "same" else 0
    out = [(side + 2 * padding - kernel) // stride + 1 for side in size]
    if min(out) < 1:
        raise UserError(
            f"a {kernel}×{kernel} convolution finds only {size[0]}×{size[1]} pixels left of the image; give larger images "
            "or fewer stages."
        )
    return Convolution(*fans, stride, (out[0], out[1]), kernel, padding)


def _halved(size: Size) -> Size:
    if min(size) < 2:
        raise UserError(
            f"pooling halves what is left of the image, and only {size[0]}×{size[1]} pixels are; give larger images or "
            "fewer stages."
        )
    return size[0] // 2, size[1] // 2


def _checked(config: CNN, input_shape: Sequence[int]) -> tuple[int, Size]:
    shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if len(shape) != 3 or min(shape) < 1:
        raise UserError(f"a CNN needs an input shape (C, H, W), such as (1, 28, 28), got {input_shape}.")
    channels, height, width = shape
    most = 1 + math.ceil(math.log2(min(height, width)))
    if config.strides is None and config.stride == 2 and len(config.widths) > most:
        raise UserError(
            f"{len(config.widths)} stages with stride 2 would shrink images of {height}×{width} pixels below one pixel; "
            f"take at most {most} {'stage' if most == 1 else 'stages'}, or stride 1."
        )
    return channels, (height, width)


def linear_sizes(config: CNN, plan: Plan, classes: int) -> list[tuple[int, int]]:
    """Return (inputs, outputs) of the hidden layers and of the head."""
    return list(itertools.pairwise((plan.features, *(config.hidden or ()), classes)))


def parameter_count(config: CNN, plan: Plan, classes: int) -> int:
    """Count the trainable numbers."""
    extra = 1 if config.norm == "none" else 2  # a bias, or the norm's weight and bias
    layers = [*plan.convolutions(), *plan.projections()]
    body = sum((one.fan_in * one.kernel**2 + extra) * one.fan_out for one in layers)
    return body + sum((inputs + 1) * outputs for inputs, outputs in linear_sizes(config, plan, classes))


def flop_count(config: CNN, plan: Plan, classes: int) -> int:
    """Count the FLOPs of convolutions and linear layers for one image, a multiplication and an addition counted as two."""
    layers = [*plan.convolutions(), *plan.projections()]
    products = sum(one.fan_in * one.kernel**2 * one.fan_out * math.prod(one.size) for one in layers)
    return 2 * (products + sum(a * b for a, b in linear_sizes(config, plan, classes)))


def describe(config: CNN, plan: Plan, classes: int) -> str:
    """Name the layers in one line, such as "stem 3→16, 6 × 16 at 32×32, 6 × 32 at 16×16, mean, head 32→10"."""
    parts = []
    if plan.stem:
        place = f" at {_said(plan.stem.size)}" if plan.stem.stride > 1 else ""
        parts.append(f"stem {plan.stem.fan_in}→{plan.stem.fan_out}{place}{_pool_said(plan.stem_pooled)}")
    for number, (stage, width) in enumerate(zip(plan.stages, config.widths, strict=True)):
        layers = config.blocks_by_stage[number] * config.layers_per_block
        last = stage.blocks[-1].convolutions[-1]
        parts.append(f"{layers} × {width} at {_said(last.size)}{_pool_said(stage.pooled)}")
    parts[-1] += f" in blocks of {config.layers_per_block}" if config.layers_per_block > 1 else ""
    if config.residual:
        count = len(plan.projections())
        parts[-1] += " with skips" + (f", {count} of them projections" if count else "")
    parts.append("mean" if config.end == "mean" else f"flatten {plan.features}")
    parts += [f"hidden {a}→{b}" for a, b in linear_sizes(config, plan, classes)[:-1]]
    inputs, outputs = linear_sizes(config, plan, classes)[-1]
    return ", ".join([*parts, f"head {inputs}→{outputs}"])


def _said(size: Size) -> str:
    return f"{size[0]}×{size[1]}"


def _pool_said(pooled: Size | None) -> str:
    return f", pooled to {_said(pooled)}" if pooled else ""
