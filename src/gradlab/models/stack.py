"""Several copies of one network as a single one with a leading seed axis, and back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from torch import nn

from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.normalise import Normalise
from gradlab.models.stacked_layers import (
    StackedBatchNorm,
    StackedDropout,
    StackedLayerNorm,
    StackedLinear,
    state_of,
)
from gradlab.types import UserError

LAYERS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.Linear: StackedLinear,
    nn.LayerNorm: StackedLayerNorm,
    nn.BatchNorm1d: StackedBatchNorm,
    nn.Dropout: StackedDropout,
}
"""Layers with a state of their own and what stacks them."""
SHARED = (
    nn.ReLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.LeakyReLU,
    nn.GELU,
    nn.Identity,
    nn.Sequential,
    Block,
    Normalise,
    MLPNetwork,
)
"""Modules that work on any leading dimensions as they are."""


def can_stack(network: nn.Module) -> bool:
    """Whether several networks like this one can train as one stack, exactly: an `MLPNetwork` as it was built.

    Freezing keeps it so; another layer, a hook, a parametrisation or a shared weight does not.
    """
    if type(network) is not MLPNetwork:
        return False
    names = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    shared = len(names) != sum(1 for _ in network.parameters())
    return not shared and all(_is_plain(module) for module in network.modules())


def _is_plain(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    if type(module) not in (*LAYERS, *SHARED) or any(hooks):
        return False
    if isinstance(module, nn.BatchNorm1d):
        return module.affine and module.track_running_stats and module.momentum is not None
    if isinstance(module, nn.LayerNorm):
        return module.elementwise_affine and module.bias is not None and len(module.normalized_shape) == 1
    return True


def stack(networks: Sequence[MLPNetwork]) -> MLPNetwork:
    """Stack networks of one configuration: (S, B, C, H, W) to (S, B, K), network s on slice s.

    Raises:
        UserError: the networks differ in more than the values of their parameters, or cannot be stacked exactly.
    """
    if not networks:
        raise UserError("stack needs at least one network, got none.")
    if not all(can_stack(network) for network in networks):
        raise UserError(
            "only networks as gradlab's MLP builder makes them can be stacked; train other modules one seed at a time."
        )
    if any(_form(network) != _form(networks[0]) for network in networks):
        raise UserError(
            "only networks of one configuration, shape, normalisation and choice of frozen layers can be stacked; "
            "group them first."
        )
    stacked = copy.deepcopy(networks[0])
    _replace(stacked, list(networks))
    return stacked


def _form(network: MLPNetwork) -> tuple[object, ...]:
    """Everything that networks of one stack have in common."""
    normalise = network.normalise
    tensors = [
        (name, value.shape, value.dtype, value.device, value.requires_grad)
        for name, value in network.named_parameters()
    ]
    first = (normalise.scale.tolist(), normalise.shift.tolist(), network.input_shape)
    return network.config, repr(network), tensors, first


def _replace(target: nn.Module, sources: Sequence[nn.Module]) -> None:
    for name, child in list(target.named_children()):
        peers = [source.get_submodule(name) for source in sources]
        if type(child) in LAYERS:
            layer = LAYERS[type(child)](peers)
            setattr(target, name, layer.train(child.training))
        else:
            _replace(child, peers)


def unstack(stacked: nn.Module, index: int, like: MLPNetwork) -> MLPNetwork:
    """Copy network `index` of a stack into a network of `like`'s form, on the stack's device and in its dtype."""
    first = next(stacked.parameters())
    network = copy.deepcopy(like).to(device=first.device, dtype=first.dtype)
    own = {
        f"{name}.{key}": value
        for name, layer in stacked.named_modules()
        if isinstance(layer, StackedLinear | StackedLayerNorm | StackedBatchNorm)
        for key, value in state_of(layer, index).items()
    }
    network.load_state_dict(stacked.state_dict() | own)
    return network
