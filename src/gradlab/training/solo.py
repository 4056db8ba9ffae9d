"""One module of any kind in training."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.models._randomness import restart
from gradlab.training.feed import Inputs
from gradlab.training.groups import Group
from gradlab.training.trainee import cast_module, flatten, weights_of
from gradlab.training.weights import Weights
from gradlab.types import derive_seed


class Solo:
    """Any module as a stack of one: inputs (1, B, ...) to logits (1, B, K)."""

    stacked = False

    def __init__(
        self,
        network: nn.Module,
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
        groups: Sequence[Group] = (),
        *,
        channels_last: bool = False,
    ) -> None:
        self.templates, self.seeds = [network], [seed]
        self._device, self._dtype, self._groups, self._channels_last = device, dtype, groups, channels_last
        self.module = self._copy()
        self.trained, self.used_groups = flatten(self.module, network, 1, groups, channels_last=channels_last)

    @property
    def buffers(self) -> list[Tensor]:
        """The module's buffers, each (1, ...)."""
        return [buffer.unsqueeze(0) for buffer in self.module.buffers()]

    def prepare(self, images: Tensor) -> Tensor:
        """Return the images: the module does everything itself."""
        return images

    def forward(self, inputs: Inputs) -> Tensor:
        """Map inputs (1, B, ...) to logits (1, B, K)."""
        if isinstance(inputs, Mapping):
            return logits_of(self.module(**{name: one[0] for name, one in inputs.items()})).unsqueeze(0)
        batch = inputs[0]
        if self._channels_last and batch.dim() == 4:
            batch = batch.contiguous(memory_format=torch.channels_last)
        return logits_of(self.module(batch)).unsqueeze(0)

    def reseed(self, epoch: int) -> None:
        """Start this epoch's stream of dropout: a module draws from the (forked) global one."""
        restart(derive_seed(self.seeds[0], "dropout", epoch), self._device)

    def keep(self, indices: Sequence[int]) -> Solo:
        """Return another one with copies of the weights; `indices` can be nothing but [0]."""
        network, seed = self.templates[indices[0]], self.seeds[indices[0]]
        other = Solo(
            network, seed, self._device, self._dtype, self._groups, channels_last=self._channels_last
        )
        with torch.no_grad():
            weights_of(other).copy_(weights_of(self))
        return other

    def extract(self, index: int, weights: Weights | None) -> nn.Module:  # noqa: ARG002 - there is but one
        """Return the module with `weights`, in eval mode, in the memory format in which it was trained."""
        network = self._copy()
        if weights is None:
            return network.eval()
        parameters = dict(network.named_parameters())
        with torch.no_grad():
            for name, value in zip(
                self.trained.names, self.trained.views(weights.flats).values(), strict=True
            ):
                parameters[name].copy_(value)
            for mine, theirs in zip(network.buffers(), weights.buffers, strict=True):
                mine.copy_(theirs[0])
        return network.eval()

    def _copy(self) -> nn.Module:
        network = cast_module(copy.deepcopy(self.templates[0]), self._device, self._dtype)
        return network.to(memory_format=torch.channels_last) if self._channels_last else network  # type: ignore[call-overload]


def logits_of(output: Any) -> Tensor:
    """Return the logits of what a model returned: itself, or its `logits`."""
    return output if isinstance(output, Tensor) else getattr(output, "logits", output)
