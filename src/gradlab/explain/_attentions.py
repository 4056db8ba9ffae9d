"""The attentions that a network uses in a pass: what its softmaxes give, as its values are multiplied with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from gradlab._torch import torch
from gradlab.explain.scaled import wide

SOFTMAXES = (torch.ops.aten._softmax.default, torch.ops.aten._safe_softmax.default)


class Attentions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within the block what every softmax over more than classes gives is kept, if it is then multiplied as it is.

    Attributes:
        found: of every block the mean over heads, (N, T, T), rows sum to 1.
        is_partial: whether there are attentions from other tokens than to those they attend to, or within windows.
    """

    def __init__(self, count: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[torch.Tensor] = []
        self.is_partial = False
        self._count = count
        self._waiting: list[torch.Tensor] = []

    @property
    def is_changed(self) -> bool:
        """Whether what a softmax gave was changed before it was multiplied, or never was."""
        return bool(self._waiting)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and look at it."""
        if func is torch.ops.aten.bmm.default:
            self._use(args[0])
            self._use(args[1].mT)
        found = func(*args, **(kwargs or {}))
        if func in SOFTMAXES and found.dim() > 2:
            self._waiting.append(found)
        return found

    def _use(self, factor: torch.Tensor) -> None:
        """Take the attentions that this factor is."""
        if not self._waiting or factor.numel() != self._waiting[-1].numel():
            return
        last = self._waiting[-1]
        if factor.shape[1:] != last.shape[-2:] or not torch.equal(
            factor, last.to(factor.dtype).view_as(factor)
        ):
            return
        self._waiting.pop()
        is_whole = last.dim() == 3 or len(last) == self._count == last.shape[:-3].numel()
        if not is_whole or last.shape[-2] != last.shape[-1] or len(factor) % self._count:
            self.is_partial = True
            return
        self.found.append(wide(last).reshape(self._count, -1, *last.shape[-2:]).mean(1))


@contextlib.contextmanager
def attentions(count: int) -> Iterator[Attentions]:
    """Within the block every attention of a pass over so many images is computed in the open: by a softmax and a product."""
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        with sdpa_kernel(SDPBackend.MATH), Attentions(count) as seen:
            yield seen
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
