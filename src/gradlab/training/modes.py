"""Train and eval mode, set and given back: what is frozen stays as it is, batch norms included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from gradlab.models.stacked_layers import StackedBatchNorm


def set_training(module: nn.Module) -> None:
    """Put `module` in train mode, but not the batch norms of its frozen parts, whose statistics must not move."""
    module.train()
    for layer in frozen_norms(module):
        layer.eval()


def frozen_norms(module: nn.Module) -> list[nn.Module]:
    """Find the batch norms of frozen parts; a part is frozen if it has parameters and none of them requires a gradient."""
    if all(parameter.requires_grad for parameter in module.parameters()):
        return []
    found: dict[nn.Module, None] = {}
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            norms = [layer for layer in part.modules() if isinstance(layer, _NormBase | StackedBatchNorm)]
            found |= dict.fromkeys(norms)
    return list(found)


@contextlib.contextmanager
def kept_statistics(module: nn.Module) -> Iterator[None]:
    """Within the block layers in train mode move copies of their buffers, such as the statistics of batch norms.

    The buffers themselves are not written to, so that a graph that was made before the block can still be gone back.
    """
    kept = [(layer, dict(layer._buffers)) for layer in module.modules() if layer.training and layer._buffers]
    try:
        for layer, buffers in kept:
            layer._buffers.update(
                {name: one if one is None else one.clone() for name, one in buffers.items()}
            )
        yield
    finally:
        for layer, buffers in kept:
            layer._buffers.update(buffers)


@contextlib.contextmanager
def kept_modes(module: nn.Module) -> Iterator[None]:
    """Give every layer its train or eval mode back after the block."""
    modes = [(layer, layer.training) for layer in module.modules()]
    try:
        yield
    finally:
        for layer, training in modes:
            if layer.training != training:
                layer.training = training
