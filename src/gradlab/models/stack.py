"""Several copies of one network as a single one with a leading seed axis (what one bmm does, S gemms would)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.normalise import Normalise
from gradlab.types import UserError, derive_seed


class StackedLinear(nn.Module):
    """S linear layers: (S, B, in) to (S, B, out); weight (S, out, in), bias (S, out)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self.bias = nn.Parameter(torch.stack(biases)) if biases else None

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
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise each row, then scale and shift with the seed's own parameters."""
        normed = functional.layer_norm(features, features.shape[-1:], eps=self.eps)
        return torch.addcmul(self.bias.unsqueeze(1), normed, self.weight.unsqueeze(1))


class StackedBatchNorm(nn.Module):
    """S batch norms over axis 1 of (S, B, width); running statistics of shape (S, width)."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, layers: Sequence[nn.BatchNorm1d]) -> None:
        super().__init__()
        first = layers[0]
        if first.running_mean is None or first.momentum is None or not first.affine:
            raise UserError(
                "only batch norm with running statistics, momentum and affine weights can be stacked."
            )
        self.eps, self.momentum = first.eps, first.momentum
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))
        self.register_buffer("running_mean", torch.stack([layer.running_mean for layer in layers]))  # type: ignore[misc]
        self.register_buffer("running_var", torch.stack([layer.running_var for layer in layers]))  # type: ignore[misc]

    def forward(self, features: Tensor) -> Tensor:
        """Normalise with the batch's statistics in training, else with the running ones."""
        seeds, batch, width = features.shape
        columns = features.transpose(0, 1).reshape(
            batch, seeds * width
        )  # S·width independent channels of one batch
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
        """Start the streams of this epoch."""
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


def stack(networks: Sequence[MLPNetwork]) -> MLPNetwork:
    """Stack networks of one configuration: (S, B, C, H, W) to (S, B, K), network s on slice s.

    Raises:
        UserError: the networks differ in configuration, or hold a layer that cannot be stacked exactly.
    """
    if not networks:
        raise UserError("stack needs at least one network, got none.")
    if any(network.config != networks[0].config for network in networks):
        raise UserError(
            "only networks of one configuration can be stacked; group them by configuration first."
        )
    stacked = copy.deepcopy(networks[0])
    _replace(stacked, list(networks))
    return stacked


def _replace(target: nn.Module, sources: Sequence[nn.Module]) -> None:
    for name, child in list(target.named_children()):
        peers = [source.get_submodule(name) for source in sources]
        if type(child) in LAYERS:
            setattr(target, name, LAYERS[type(child)](peers))
        elif isinstance(child, SHARED):
            _replace(child, peers)
        else:
            raise UserError(
                f"a layer of type {type(child).__name__} cannot be stacked; train its seeds one by one."
            )


def unstack(stacked: nn.Module, index: int, like: MLPNetwork) -> MLPNetwork:
    """Copy network `index` of a stack into a network of `like`'s form."""
    network = copy.deepcopy(like)
    shared = {name for name, _ in Normalise((0.0,), (1.0,)).named_buffers(prefix="normalise")}
    state = {name: value if name in shared else value[index] for name, value in stacked.state_dict().items()}
    network.load_state_dict(network.state_dict() | {name: value.clone() for name, value in state.items()})
    return network
