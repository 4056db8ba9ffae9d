"""Layers of S networks at once, with a leading seed axis: one bmm does what S gemms would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.types import UserError, derive_seed


def _join(parameters: Sequence[Tensor]) -> nn.Parameter:
    """Stack parameters along a new first axis; frozen ones stay frozen."""
    stacked = torch.stack([parameter.detach() for parameter in parameters]).contiguous()
    return nn.Parameter(stacked, parameters[0].requires_grad)


class StackedLinear(nn.Module):
    """S linear layers: (S, B, in) to (S, B, out); weight (S, in, out), bias (S, 1, out).

    In this form one product needs no transposed view, and its gradient arrives in the order in which it is kept.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = _join([layer.weight.mT for layer in layers])
        biases = [layer.bias[None] for layer in layers if layer.bias is not None]
        self.bias = _join(biases) if biases else None

    def forward(self, features: Tensor) -> Tensor:
        """Apply layer s to features[s]."""
        if self.bias is None:
            return torch.bmm(features, self.weight)
        return torch.baddbmm(self.bias, features, self.weight)


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
        draws = torch.empty(
            features.shape
        )  # on the CPU in float32, so that every device and format drops alike
        for row, generator in zip(draws, self.generators, strict=True):
            row.uniform_(generator=generator)
        kind = torch.promote_types(features.dtype, torch.float32)
        scale = draws.ge_(self.probability).to(features.device, kind)
        if self.probability < 1:
            scale.div_(1 - self.probability)
        return (features * scale).to(features.dtype)


def state_of(layer: nn.Module, index: int) -> dict[str, Tensor]:
    """Return the state of network `index` of a stacked layer in the shapes of PyTorch's own layer."""
    state = {name: value[index] for name, value in layer.state_dict().items()}
    if isinstance(layer, StackedLinear):
        return {name: value.mT if name == "weight" else value[0] for name, value in state.items()}
    return state
