"""The numbers of S networks in training: flat tensors that an optimiser steps at once, and copies of rows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradlab.types import UserError


@dataclass(frozen=True)
class Weights:
    """Trained numbers, (S, P) for each group, and buffers, (S, ...): row s belongs to network s."""

    flats: list[Tensor]
    buffers: list[Tensor]

    @property
    def tensors(self) -> list[Tensor]:
        """All of them, trained ones first."""
        return [*self.flats, *self.buffers]

    @property
    def nbytes(self) -> int:
        """Bytes of all of them."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors)

    def rows(self, indices: Sequence[int]) -> Weights:
        """Copy the networks at `indices`."""
        rows = list(indices)
        return Weights([flat[rows] for flat in self.flats], [buffer[rows] for buffer in self.buffers])

    def row(self, index: int) -> Weights:
        """Return a view of one network, with a leading axis of one."""
        one = slice(index, index + 1)
        return Weights([flat[one] for flat in self.flats], [buffer[one] for buffer in self.buffers])

    def clone(self) -> Weights:
        """Copy everything."""
        return Weights([flat.clone() for flat in self.flats], [buffer.clone() for buffer in self.buffers])

    def copy_(self, other: Weights) -> None:
        """Overwrite in place."""
        for mine, theirs in zip(self.tensors, other.tensors, strict=True):
            mine.copy_(theirs)

    def finite_rows(self) -> list[bool]:
        """Whether the trained numbers of each network are all finite; from the ends, since a mask is as large as they."""
        ends = [end for flat in self.flats for end in torch.aminmax(flat, dim=1)]
        return torch.isfinite(torch.stack(ends)).all(0).tolist()

    def average_(self, other: Weights, decay: float) -> None:
        """Move towards `other` by 1 - `decay`, as an exponential moving average does; whole numbers are copied."""
        floats = [(a, b) for a, b in self._pairs(other) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - decay)
        for mine, theirs in self._pairs(other):
            if not mine.is_floating_point():
                mine.copy_(theirs)

    def swap_(self, other: Weights, chunk: int = 2**20) -> None:
        """Exchange the values with `other` in place, `chunk` numbers at a time."""
        for mine, theirs in self._pairs(other):
            if not (mine.is_contiguous() and theirs.is_contiguous()):
                kept = mine.clone()
                mine.copy_(theirs)
                theirs.copy_(kept)
                continue
            parts = zip(torch.split(mine.view(-1), chunk), torch.split(theirs.view(-1), chunk), strict=True)
            for one, another in parts:
                kept = one.clone()
                one.copy_(another)
                another.copy_(kept)

    def _pairs(self, other: Weights) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.tensors, other.tensors, strict=True))


class Trained:
    """The trained parameters of S networks as views of one flat tensor (S, P) a group.

    An optimiser sees the flat tensors alone: it steps a whole group at once, and whoever shares gradients between
    processes sums one tensor a group; `views` cuts a flat tensor into the parameters' shapes for what works on matrices.

    Args:
        named: the parameters, each with a leading axis of `networks` where there are several.
        networks: S. groups: the group of each parameter, from 0.
        axes: of each parameter in one network; those that it has where not given.
        channels_last: whether the numbers of a parameter with four axes lie in the order of channels-last.
    """

    def __init__(
        self,
        named: Sequence[tuple[str, nn.Parameter]],
        networks: int,
        groups: Sequence[int],
        *,
        axes: Sequence[int] | None = None,
        channels_last: bool = False,
    ) -> None:
        self.names = [name for name, _ in named]
        self.parameters = [parameter for _, parameter in named]
        self.axes = list(axes or [parameter.dim() for parameter in self.parameters])
        self._channels_last = channels_last
        self._networks = networks
        self.members = [
            [number for number, own in enumerate(groups) if own == group] for group in range(max(groups) + 1)
        ]
        self.flats = [
            nn.Parameter(torch.cat([self._row(self.parameters[number]) for number in group], dim=1))
            for group in self.members
        ]
        for parameter, view in self.views(self.flats).items():
            parameter.data = view
        self._gradients: list[Tensor] = []
        self._in_place = False

    def views(self, flats: Sequence[Tensor]) -> dict[nn.Parameter, Tensor]:
        """Cut tensors like `flats` into the parameters' shapes, in their order."""
        found: dict[int, Tensor] = {}
        for flat, group in zip(flats, self.members, strict=True):
            sizes = [self.parameters[number].numel() // self._networks for number in group]
            for number, part in zip(group, torch.split(flat.detach(), sizes, dim=1), strict=True):
                found[number] = self._shaped(part, self.parameters[number].shape)
        return {parameter: found[number] for number, parameter in enumerate(self.parameters)}

    def set_gradient(self, loss: Tensor) -> None:
        """Put the gradient of the summed loss into the `grad` of every flat tensor, one row a network.

        The first step computes all gradients beside them, which shows the parameters that get none. Later ones of a single
        network are summed into their place, layer by layer, so that they need no memory of their own; PyTorch does so only
        where a parameter's numbers lie side by side, which those of several networks do not.

        Raises:
            UserError: a parameter that should train takes no part in the loss.
        """
        if not loss.requires_grad:
            raise UserError(
                "the model's output carries no gradient; drop torch.no_grad() and detach() from its forward()."
            )
        self._make_room()
        if self._in_place:
            for flat in self.flats:
                flat.grad.zero_()  # type: ignore[union-attr] # made above
            torch.autograd.backward(loss, inputs=self.parameters)
            return
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        unused = [name for name, found in zip(self.names, gradients, strict=True) if found is None]
        if unused:
            raise UserError(
                f"parameter '{unused[0]}' should train but does not affect the loss ({len(unused)} such); "
                "use it in forward() or set requires_grad=False on it."
            )
        torch._foreach_copy_(self._gradients, list(gradients))
        self._in_place = self._networks == 1

    def known_used(self) -> None:
        """Skip the look for parameters that get no gradient: an earlier run of the same networks had one for each."""
        self._in_place = self._networks == 1

    def release(self) -> None:
        """Give up the memory of the gradients."""
        self._gradients = []
        for tensor in (*self.flats, *self.parameters):
            tensor.grad = None

    def _make_room(self) -> None:
        if self._gradients:
            return
        for flat in self.flats:
            flat.grad = torch.zeros_like(flat)
        views = self.views([flat.grad for flat in self.flats])  # type: ignore[misc] # made above
        for parameter, view in views.items():
            parameter.grad = view
        self._gradients = list(views.values())

    def _row(self, parameter: nn.Parameter) -> Tensor:
        tensor = parameter.detach()
        if self._channels_last and tensor.dim() == 4:
            tensor = tensor.permute(0, 2, 3, 1)
        return tensor.reshape(self._networks, -1)

    def _shaped(self, part: Tensor, shape: torch.Size) -> Tensor:
        if self._channels_last and len(shape) == 4:
            out, channels, height, width = shape
            return part.view(out, height, width, channels).permute(0, 3, 1, 2)
        return part.view(shape)
