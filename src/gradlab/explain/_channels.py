"""Which axis of a tensor holds channels, followed from the images through whatever a network does with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from gradlab._torch import torch

FIRST = "conv"
"""How the name of a function begins that puts channels on axis 1, whatever they were before."""
LAST = ("linear", "lstm", "gru", "rnn_tanh", "rnn_relu", "multi_head_attention_forward")
"""Functions that put channels on the last axis."""
TURNS = ("permute", "transpose", "transpose_", "swapaxes", "swapdims", "movedim", "moveaxis", "t")
RESHAPES = ("reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "reshape_as", "view_as")
PRODUCTS = ("matmul", "__matmul__", "bmm", "mm")
SILENT = ("__get__", "einsum", "tensordot")
"""Functions that may turn axes in a way that is not followed."""


class Channels(TorchFunctionMode):
    """Within the block `axis` says of every tensor which of its axes holds channels, None where it cannot be told.

    Convolutions put channels on axis 1 and linear layers on the last; turned and reshaped tensors keep them where they go;
    everything else leaves them on the axis of the tensor of as many axes that it was given.
    """

    def __init__(self) -> None:
        super().__init__()
        self._axes: Any = WeakTensorKeyDictionary()

    def axis(self, value: torch.Tensor) -> int | None:
        """Return the axis that holds channels."""
        found: int | None = self._axes.get(value)
        return found

    def put(self, value: torch.Tensor, axis: int | None) -> None:
        """Say which axis holds channels."""
        if axis is not None:
            self._axes[value] = axis
        elif value in self._axes:
            del self._axes[value]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the function, and follow the axis."""
        given = [
            (one.shape, self.axis(one))
            for one in _tensors((*args, *(kwargs or {}).values()))
            if one.dim()  # as they were before it, which may work in place
        ]
        found = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in TURNS:
            self.put(found, _axis_turned(func, given[0] if given else None, args, kwargs or {}))
            return found
        for one in _tensors(found if isinstance(found, tuple | list) else (found,)):
            if one.dim() > 1:
                self.put(one, _axis_after(name, one, given))
        return found


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """Return the tensors among these, and those in lists and tuples, as `cat` takes them."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from (one for one in value if isinstance(one, torch.Tensor))


def _axis_turned(
    func: Any, given: tuple[torch.Size, int | None] | None, args: Any, keywords: Any
) -> int | None:
    """Return where the function puts the axis, by turning an empty tensor whose sizes tell its axes apart."""
    if given is None or given[1] is None or not args or not isinstance(args[0], torch.Tensor):
        return None
    marked = torch.empty(tuple(range(2, 2 + len(given[0]))), device="meta")
    return list(func(marked, *args[1:], **keywords).shape).index(2 + given[1])


def _axis_after(name: str, found: torch.Tensor, given: list[tuple[torch.Size, int | None]]) -> int | None:
    """Return the axis of channels of what a function returned, given shapes and axes of what it was called with."""
    if name.startswith(FIRST):
        return 1
    if name in LAST:
        return found.dim() - 1
    if name in PRODUCTS:
        return _of_product(found, given)
    if name in SILENT:
        return None
    if name in RESHAPES:
        return _of_reshaped(found.shape, *given[0]) if given else None
    known = {axis for shape, axis in given if axis is not None and len(shape) == found.dim()}
    return known.pop() if len(known) == 1 else None


def _of_product(found: torch.Tensor, given: list[tuple[torch.Size, int | None]]) -> int | None:
    """Return the axis after a product of matrices: the last, if the second factor brings channels or the first gives them up."""
    if len(given) < 2 or found.dim() < 2:
        return None
    (first, before), (second, brought) = given[0], given[1]
    if brought is not None:
        return found.dim() - 1 if brought == len(second) - 1 and before is None else None
    return before if len(first) == found.dim() else None


def _of_reshaped(shape: torch.Size, before: torch.Size, axis: int | None) -> int | None:
    """Return the axis of the same size with as many numbers before it."""
    if axis is None:
        return None
    ahead, size = math.prod(before[:axis]), before[axis]
    places = (place for place, one in enumerate(shape) if one == size and math.prod(shape[:place]) == ahead)
    return next(places, None)
