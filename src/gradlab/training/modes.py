"""Train and eval mode, set and given back: what is frozen stays as it is, batch norms included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from gradlab.models.stacked_layers import StackedBatchNorm


def set_training(module: nn.Module) -> None:
    """Put `module` in train mode, but not the batch norms of its frozen parts, whose statistics must not move.

    A part is frozen if it has parameters and none of them requires a gradient.
    """
    module.train()
    if all(parameter.requires_grad for parameter in module.parameters()):
        return
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            for layer in part.modules():
                if isinstance(layer, _NormBase | StackedBatchNorm):
                    layer.eval()


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
