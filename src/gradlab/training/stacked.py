"""Several MLPs of one configuration in training, their weights stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from gradlab.models.chain import chain_of
from gradlab.models.mlp_network import MLPNetwork
from gradlab.models.stack import stack, unstack
from gradlab.models.stacked_layers import StackedBatchNorm, StackedDropout
from gradlab.training.feed import Inputs
from gradlab.training.groups import Group
from gradlab.training.trainee import cast_module, flatten, weights_of
from gradlab.training.weights import Weights


class Stack:
    """S networks of `gradlab.models.MLP`: features (S, B, ...) to logits (S, B, K), network s on slice s."""

    stacked = True

    def __init__(
        self,
        networks: Sequence[MLPNetwork],
        seeds: list[int],
        device: torch.device,
        dtype: torch.dtype,
        groups: Sequence[Group] = (),
    ) -> None:
        self.templates: list[nn.Module] = list(networks)
        self.seeds, self._device, self._dtype, self._groups = seeds, device, dtype, groups
        self.module = stack(networks)
        cast_module(self.module, device, dtype)
        self.trained, self.used_groups = flatten(self.module, networks[0], len(networks), groups)
        self._chain = chain_of(self.module)

    @property
    def buffers(self) -> list[Tensor]:
        """Running statistics of the batch norms, each (S, width)."""
        layers = [layer for layer in self.module.modules() if isinstance(layer, StackedBatchNorm)]
        return [tensor for layer in layers for tensor in layer.buffers()]

    def prepare(self, images: Tensor) -> Tensor:
        """Normalise and flatten images (..., C, H, W), the same for every seed and step."""
        return self.module.prepare(images)

    def forward(self, inputs: Inputs) -> Tensor:
        """Map prepared features (S, B, ...) to logits (S, B, K)."""
        features = cast(Tensor, inputs)
        if self._chain is not None and self._chain.fits(features):
            return self._chain(features)
        return self.module.body(features)

    def reseed(self, epoch: int) -> None:
        """Start this epoch's streams of dropout, one for every layer and seed."""
        for name, layer in self.module.named_modules():
            if isinstance(layer, StackedDropout):
                layer.reseed(self.seeds, epoch, name)

    def keep(self, indices: Sequence[int]) -> Stack:
        """Return a smaller stack of the networks at `indices`, with copies of their weights."""
        smaller = Stack(
            [cast(MLPNetwork, self.templates[index]) for index in indices],
            [self.seeds[index] for index in indices],
            self._device,
            self._dtype,
            self._groups,
        )
        with torch.no_grad():
            weights_of(smaller).copy_(weights_of(self).rows(indices))
        return smaller

    def extract(self, index: int, weights: Weights | None) -> nn.Module:
        """Return network `index` with `weights` as a module of its own, in eval mode."""
        template = cast(MLPNetwork, self.templates[index])
        one = Stack([template], [self.seeds[index]], self._device, self._dtype, self._groups)
        if weights is not None:
            with torch.no_grad():
                weights_of(one).copy_(weights)
        return unstack(one.module, 0, template).eval()
