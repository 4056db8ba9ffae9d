"""Layers that look at a whole batch, or draw for it, while each process has a part of it: batch norm and dropout."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from gradlab.models.stacked_layers import StackedBatchNorm, StackedDropout
from gradlab.training.ranks import Ranks
from gradlab.types import UserError


@contextlib.contextmanager
def joined(module: nn.Module, ranks: Ranks, count: int, device: torch.device) -> Iterator[None]:
    """Within the block layers in train mode see, or draw for, the whole batch of which this process has its part.

    Batch norms take mean and variance over all processes. Dropout draws for the whole batch, from the same streams as one
    process would, and uses its own rows.

    Args:
        count: samples of the whole batch. device: of the samples.

    Raises:
        UserError: something else draws random numbers, which would differ from those of one process.
    """
    if ranks.size == 1:
        yield
        return
    streams = _Streams(device)
    changed: list[tuple[nn.Module, Any]] = []
    for layer in module.modules():
        forward = _forward_of(layer, ranks, count, streams) if layer.training else None
        if forward is not None:
            changed.append((layer, layer.__dict__.get("forward")))
            layer.forward = forward
    try:
        yield
        streams.check()
    finally:
        for layer, before in changed:
            if before is None:
                del layer.forward
            else:
                layer.forward = before


def _forward_of(
    layer: nn.Module, ranks: Ranks, count: int, streams: _Streams
) -> Callable[[Tensor], Tensor] | None:
    if isinstance(layer, StackedBatchNorm | _BatchNorm):
        return functools.partial(_norm, layer, ranks, count)
    if isinstance(layer, StackedDropout | _DropoutNd):
        return functools.partial(_drop, layer, ranks, count, streams, layer.forward)
    return None


def _norm(layer: Any, ranks: Ranks, count: int, inputs: Tensor) -> Tensor:
    """Batch norm in train mode over the batch of all processes."""
    axes = [1] if isinstance(layer, StackedBatchNorm) else [0, *range(2, inputs.dim())]
    part = ranks.part(count)
    values = math.prod(inputs.shape[axis] for axis in axes) // (part.stop - part.start) * count
    wide = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
    mean = ranks.sum(wide.sum(axes, keepdim=True)) / values
    centred = wide - mean
    variance = ranks.sum(centred.square().sum(axes, keepdim=True)) / values
    if layer.running_mean is not None:
        _move(layer, mean.detach(), variance.detach(), values)
    found: Tensor = centred * (variance + layer.eps).rsqrt()
    if layer.weight is not None:
        found = found * layer.weight.view(mean.shape) + layer.bias.view(mean.shape)
    return found.to(inputs.dtype)


def _move(layer: Any, mean: Tensor, variance: Tensor, values: int) -> None:
    """Move the running statistics as PyTorch's layer does: the variance without bias."""
    layer.num_batches_tracked.add_(1)
    pace = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    for running, now in (
        (layer.running_mean, mean),
        (layer.running_var, variance * (values / max(1, values - 1))),
    ):
        running.lerp_(now.view(running.shape).to(running.dtype), pace)


def _drop(
    layer: nn.Module,
    ranks: Ranks,
    count: int,
    streams: _Streams,
    forward: Callable[[Tensor], Tensor],
    inputs: Tensor,
) -> Tensor:
    """Drop from the whole batch, empty but for this process's rows, and return those."""
    axis = 1 if isinstance(layer, StackedDropout) else 0
    part = ranks.part(count)
    if inputs.shape[axis] != part.stop - part.start:
        raise UserError(
            f"dropout reads {inputs.shape[axis]} rows for {part.stop - part.start} samples, so that its draws cannot be divided "
            "among processes; train this network in one."
        )
    before, after = (
        inputs.new_zeros([*inputs.shape[:axis], rows, *inputs.shape[axis + 1 :]])
        for rows in (part.start, count - part.stop)
    )
    whole = torch.cat([before, inputs, after], axis)
    if inputs.dim() == 4 and inputs.is_contiguous(memory_format=torch.channels_last):
        whole = whole.contiguous(memory_format=torch.channels_last)
    with streams.known():
        dropped = forward(whole)
    return dropped.narrow(axis, part.start, inputs.shape[axis])


class _Streams:
    """PyTorch's global streams of random numbers, from which nothing but dropout layers may draw."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seen = self._states()

    @contextlib.contextmanager
    def known(self) -> Iterator[None]:
        """Within the block drawing is allowed."""
        self.check()
        yield
        self._seen = self._states()

    def check(self) -> None:
        """Refuse a network that has drawn elsewhere."""
        if not all(map(torch.equal, self._seen, self._states())):
            raise UserError(
                "the network draws random numbers in its forward pass other than by a dropout layer (such as dropout inside "
                "attention), which several processes cannot draw as one; set that probability to 0, or train it in one process."
            )

    def _states(self) -> list[Tensor]:
        own = [torch.cuda.get_rng_state(self._device)] if self._device.type == "cuda" else []
        return [torch.get_rng_state(), *own]
