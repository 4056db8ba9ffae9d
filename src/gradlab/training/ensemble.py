"""Networks in training as one: parameters of S seeds in a single (S, P) tensor that the optimiser steps at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from gradlab.models._randomness import restart
from gradlab.models.mlp_network import MLPNetwork
from gradlab.models.stack import can_stack, stack, unstack
from gradlab.models.stacked_layers import StackedBatchNorm, StackedDropout
from gradlab.types import UserError, derive_seed


class _Single(nn.Module):
    """Any module as a stack of one: (1, B, C, H, W) to (1, B, K)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        return self.module(images[0]).unsqueeze(0)  # type: ignore[no-any-return]


@dataclass
class Ensemble:
    """S networks that train together; row s of `flat` holds every trained number of network s."""

    module: nn.Module
    flat: nn.Parameter
    names: list[str]
    templates: list[nn.Module]
    seeds: list[int]

    def __post_init__(self) -> None:
        self.parameters = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        self.flat.grad = torch.zeros_like(self.flat)
        self._gradients = _views(self.flat.grad, self.parameters)

    def prepare(self, images: Tensor) -> Tensor:
        """Do what every network does to images in [0, 1] alike, without parameters: (..., C, H, W) to features."""
        return images if isinstance(self.module, _Single) else cast(MLPNetwork, self.module).prepare(images)

    def forward(self, features: Tensor) -> Tensor:
        """Map prepared features (S, B, ...) to logits (S, B, K)."""
        if isinstance(self.module, _Single):
            return self.module(features)  # type: ignore[no-any-return]
        return cast(MLPNetwork, self.module).body(features)

    @property
    def buffers(self) -> list[Tensor]:
        """Tensors that training changes without a gradient, each with a leading seed axis where stacked."""
        if isinstance(self.module, _Single):
            return list(self.module.buffers())
        layers = [layer for layer in self.module.modules() if isinstance(layer, StackedBatchNorm)]
        return [tensor for layer in layers for tensor in layer.buffers()]

    @property
    def single(self) -> nn.Module | None:
        """The module itself, if it is one that cannot be stacked."""
        return self.module.module if isinstance(self.module, _Single) else None

    def views(self, flat: Tensor) -> dict[nn.Parameter, Tensor]:
        """Cut a tensor like `flat` into the parameters' shapes."""
        return dict(zip(self.parameters, _views(flat, self.parameters), strict=True))

    def set_gradient(self, loss: Tensor) -> None:
        """Put the gradient of the summed loss into `flat.grad`, one row a network.

        Raises:
            UserError: a parameter that should train takes no part in the loss.
        """
        if not loss.requires_grad:
            raise UserError(
                "the model's output carries no gradient; drop torch.no_grad() and detach() from its forward()."
            )
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        if any(gradient is None for gradient in gradients):
            unused = [name for name, gradient in zip(self.names, gradients, strict=True) if gradient is None]
            raise UserError(
                f"parameter '{unused[0]}' should train but takes no part in the loss ({len(unused)} such); "
                "use it in forward() or set requires_grad=False on it."
            )
        torch._foreach_copy_(self._gradients, list(gradients))

    def reseed(self, epoch: int) -> None:
        """Start this epoch's streams of dropout; a module of its own draws from the (forked) global stream."""
        for name, layer in self.module.named_modules():
            if isinstance(layer, StackedDropout):
                layer.reseed(self.seeds, epoch, name)
        if isinstance(self.module, _Single):
            restart(derive_seed(self.seeds[0], "dropout", epoch), self.flat.device)

    def rows(self, indices: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
        """Copy parameters and buffers of the networks at `indices`."""
        if isinstance(self.module, _Single):
            return self.flat.detach()[list(indices)].clone(), [buffer.clone() for buffer in self.buffers]
        return self.flat.detach()[list(indices)].clone(), [
            buffer[list(indices)].clone() for buffer in self.buffers
        ]

    def load(self, flat: Tensor, buffers: Sequence[Tensor]) -> None:
        """Overwrite parameters and buffers, in place."""
        with torch.no_grad():
            self.flat.copy_(flat)
            for mine, theirs in zip(self.buffers, buffers, strict=True):
                mine.copy_(theirs)

    def keep(self, indices: Sequence[int]) -> Ensemble:
        """Return a smaller ensemble of the networks at `indices`, with copies of their weights."""
        flat, buffers = self.rows(indices)
        smaller = assemble(
            [self.templates[i] for i in indices], [self.seeds[i] for i in indices], like=self.flat
        )
        smaller.load(flat, buffers)
        return smaller

    def extract(self, index: int) -> nn.Module:
        """Return network `index` as a module of its own, in eval mode."""
        if isinstance(self.module, _Single):
            network = copy.deepcopy(self.module.module)
        else:
            network = unstack(self.module, index, cast(MLPNetwork, self.templates[index]))
        return network.eval()


def assemble(
    networks: Sequence[nn.Module],
    seeds: Sequence[int],
    *,
    like: Tensor | None = None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Ensemble:
    """Copy networks into an ensemble; the given modules are left as they are.

    Args:
        networks: one per seed; several only if they can be stacked.
        seeds: one per network.
        like: take device and dtype from this tensor; or give `device` and `dtype`.

    Raises:
        UserError: several networks that cannot be stacked, or nothing to train.
    """
    device, dtype = (like.device, like.dtype) if like is not None else (device, dtype)
    if len(networks) > 1 or can_stack(networks[0]):
        module: nn.Module = stack([cast(MLPNetwork, network) for network in networks])
    else:
        module = _Single(copy.deepcopy(networks[0]))
    module.to(device=device, dtype=dtype)
    trained = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    if not trained:
        raise UserError("this model has no trainable parameter; set requires_grad=True on what should train.")
    flat = nn.Parameter(
        torch.cat([parameter.detach().reshape(len(networks), -1) for _, parameter in trained], dim=1)
    )
    tensors = [parameter for _, parameter in trained]
    for parameter, view in zip(tensors, _views(flat.data, tensors), strict=True):
        parameter.data = view
    names = [name.removeprefix("module.") for name, _ in trained]
    return Ensemble(module, flat, names, list(networks), list(seeds))


def _views(flat: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Cut (S, P) into views of the parameters' shapes, in their order."""
    sizes = [parameter.numel() // len(flat) for parameter in parameters]
    parts = torch.split(flat, sizes, dim=1)
    return [part.view(parameter.shape) for part, parameter in zip(parts, parameters, strict=True)]
