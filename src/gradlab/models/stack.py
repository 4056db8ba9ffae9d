"""Several copies of one network as a single one with a leading seed axis (what one bmm does, S gemms would)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.normalise import Normalise
from gradlab.types import UserError, derive_seed


def _join(parameters: Sequence[Tensor]) -> nn.Parameter:
    """Stack parameters along a new first axis; frozen ones stay frozen."""
    return nn.Parameter(
        torch.stack([parameter.detach() for parameter in parameters]), parameters[0].requires_grad
    )


class StackedLinear(nn.Module):
    """S linear layers: (S, B, in) to (S, B, out); weight (S, out, in), bias (S, out)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = _join([layer.weight for layer in layers])
        biases = [layer.bias for layer in layers if layer.bias is not None]
        self.bias = _join(biases) if biases else None

    def forward(self, features: Tensor) -> Tensor:
        """Apply layer s to features[s]."""
        if self.bias is None:
            return torch.bmm(features, self.weight.transpose(1, 2))
        return torch.baddbmm(self.bias.unsqueeze(1), features, self.weight.transpose(1, 2))


class StackedLayerNorm(nn.Module):
    """S layer norms over the last axis of (S, B, width)."""

    def __init__(self, layers: Sequence[nn.LayerNorm]) -> None:
        super().__init__()
        self.eps = layers[0].eps
        self.weight = _join([layer.weight for layer in layers])
        self.bias = _join([layer.bias for layer in layers])

    def forward(self, features: Tensor) -> Tensor:
        """Normalise each row, then scale and shift with the seed's own parameters."""
        normed = functional.layer_norm(features, features.shape[-1:], eps=self.eps)
        return torch.addcmul(self.bias.unsqueeze(1), normed, self.weight.unsqueeze(1))


class StackedBatchNorm(nn.Module):
    """S batch norms over axis 1 of (S, B, width); running statistics of shape (S, width)."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, layers: Sequence[nn.BatchNorm1d]) -> None:
        super().__init__()
        self.eps, self.momentum = layers[0].eps, cast(float, layers[0].momentum)
        self.weight = _join([layer.weight for layer in layers])
        self.bias = _join([layer.bias for layer in layers])
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, torch.stack([getattr(layer, name) for layer in layers]))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise with the batch's statistics in training, else with the running ones."""
        seeds, batch, width = features.shape
        if self.training:
            self.num_batches_tracked.add_(1)
        # S·width independent channels of one batch
        columns = features.transpose(0, 1).reshape(batch, seeds * width)
        normed = functional.batch_norm(
            columns,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.flatten(),
            self.bias.flatten(),
            self.training,
            self.momentum,
            self.eps,
        )
        return normed.view(batch, seeds, width).transpose(0, 1)


class StackedDropout(nn.Module):
    """Dropout whose mask for seed s comes from that seed's own stream, whoever else is stacked."""

    def __init__(self, layers: Sequence[nn.Dropout]) -> None:
        super().__init__()
        self.probability = layers[0].p
        self.generators: list[torch.Generator] = []

    def reseed(self, seeds: Sequence[int], *names: str | int) -> None:
        """Start the streams (seed, "dropout", *names); give every layer and epoch a name of its own."""
        self.generators = [
            torch.Generator().manual_seed(derive_seed(seed, "dropout", *names)) for seed in seeds
        ]

    def forward(self, features: Tensor) -> Tensor:
        """Zero units with the given probability and rescale the others, in training only."""
        if not self.training or self.probability == 0:
            return features
        if len(self.generators) != len(features):
            raise UserError(
                "dropout in a stack needs its streams: call reseed with one seed per network first."
            )
        draws = [torch.rand(features.shape[1:], generator=generator) for generator in self.generators]
        keep = torch.stack(draws).to(features.device) >= self.probability
        return features * keep / (1 - self.probability)


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
        f"{name}.{key}"
        for name, layer in stacked.named_modules()
        if isinstance(layer, StackedLinear | StackedLayerNorm | StackedBatchNorm)
        for key in layer.state_dict()
    }
    state = {name: value[index] if name in own else value for name, value in stacked.state_dict().items()}
    network.load_state_dict(state)
    return network
