"""What the training loop trains: a protocol, the copies that it works on, and the choice between its two forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Tensor, nn

from gradlab.models.stack import can_stack
from gradlab.training.groups import Group, group_numbers
from gradlab.training.weights import Trained, Weights
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.models.mlp_network import MLPNetwork
    from gradlab.training.feed import Inputs

FULL = (torch.float32, torch.float64)
"""Number formats that follow the precision of a training; what is frozen in a smaller one stays in it."""


class Trainee(Protocol):
    """S networks of one form in training, which share every step: `Stack`, or `Solo` for one module of any kind."""

    trained: Trained
    seeds: list[int]
    templates: list[nn.Module]
    """The networks as they were given, one a seed."""
    used_groups: list[int]
    """For every flat tensor the number of its group in the recipe."""
    stacked: bool
    """Whether weights and features inside the module have a leading axis of networks."""

    @property
    def module(self) -> nn.Module:
        """What is in training."""

    @property
    def buffers(self) -> list[Tensor]:
        """Tensors that training changes without a gradient, as they are: (S, ...)."""

    def prepare(self, images: Tensor) -> Tensor:
        """Do what every network does to images in [0, 1] alike, without parameters: (..., C, H, W) to features."""

    def forward(self, inputs: Inputs) -> Tensor:
        """Map prepared inputs (S, B, ...) to logits (S, B, K)."""

    def reseed(self, epoch: int) -> None:
        """Start this epoch's streams of dropout."""

    def keep(self, indices: Sequence[int]) -> Trainee:
        """Return a smaller one of the networks at `indices`, with copies of their weights."""

    def extract(self, index: int, weights: Weights | None) -> nn.Module:
        """Return network `index` as a module of its own, in eval mode; without weights (of one network) as it was given."""


def weights_of(trainee: Trainee) -> Weights:
    """Return the weights in training, not copies of them."""
    return Weights([flat.detach() for flat in trainee.trained.flats], trainee.buffers)


def assemble(
    networks: Sequence[nn.Module],
    seeds: Sequence[int],
    *,
    device: torch.device,
    dtype: torch.dtype,
    groups: Sequence[Group] = (),
    channels_last: bool = False,
    alone: bool = False,
) -> Trainee:
    """Copy networks into a trainee; the given modules are left as they are.

    Args:
        networks: one per seed; several only if they can be stacked.
        seeds: one per network.
        dtype: of what trains, and of whatever else is not in a smaller format.
        groups: of the recipe. channels_last: memory format of a module that cannot be stacked.
        alone: take one network as it is, even if it could be stacked.

    Raises:
        UserError: several networks that cannot be stacked, nothing to train, or a group without a parameter.
    """
    from gradlab.training.solo import Solo
    from gradlab.training.stacked import Stack

    if len(networks) > 1 or (can_stack(networks[0]) and not alone):
        return Stack(
            [cast("MLPNetwork", network) for network in networks], list(seeds), device, dtype, groups
        )
    return Solo(networks[0], seeds[0], device, dtype, groups, channels_last=channels_last)


def flatten(
    module: nn.Module,
    template: nn.Module,
    networks: int,
    groups: Sequence[Group],
    *,
    channels_last: bool = False,
) -> tuple[Trained, list[int]]:
    """Make the trained parameters of `module` views of flat tensors, by the groups of a recipe.

    Returns: them, and for every flat tensor the number of its group.

    Raises:
        UserError: nothing to train, or a group without a parameter.
    """
    named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    if not named:
        raise UserError("this model has no trainable parameter; set requires_grad=True on what should train.")
    axes = {name: parameter.dim() for name, parameter in template.named_parameters()}
    own_axes = [axes[name] for name, _ in named]
    numbers, used = group_numbers(groups, list(zip([name for name, _ in named], own_axes, strict=True)))
    return Trained(named, networks, numbers, axes=own_axes, channels_last=channels_last), used


def cast_module(module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Move a module to a device, and to `dtype` but for what is frozen in a smaller number format."""
    for part in module.modules():
        trains = any(p is not None and p.requires_grad for p in part._parameters.values())
        for parameter in part._parameters.values():
            if parameter is not None:
                own = dtype if parameter.requires_grad or parameter.dtype in FULL else parameter.dtype
                parameter.data = parameter.data.to(device=device, dtype=own)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                follows = buffer.dtype in FULL or (trains and buffer.is_floating_point())
                part._buffers[name] = buffer.to(device=device, dtype=dtype if follows else buffer.dtype)
    return module
