"""A split on its way into an ensemble: brought to the network's features once where that fits in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gradlab.data import Split, gather

TABLE_BYTES = 256 * 2**20
"""Largest table of prepared features; above it batches are prepared one by one."""
EVALUATION_IMAGES, EVALUATION_PIXELS = 1000, 2**22
"""Most images and most numbers of one batch without gradients."""


class Feed:
    """Batches of prepared features (..., *shape) and labels.

    Preparing (to [0, 1], then the network's fixed first layers) works on each number alone, so that doing it before
    or after the gathering gives the same bits; before is once a training instead of once a step.
    """

    def __init__(
        self, split: Split, dtype: torch.dtype, prepare: Callable[[Tensor], Tensor] = lambda images: images
    ) -> None:
        self.split, self.dtype, self.prepare = split, dtype, prepare
        self.labels = split.labels
        self._table: Tensor | None = None
        self._room = torch.empty(0)
        if 0 < split.images.numel() * dtype.itemsize <= TABLE_BYTES:
            self._table = self._prepare_all()

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: Tensor) -> Tensor:
        """Return the features at `indices` of any shape, such as (S, B): (*indices.shape, *shape).

        They lie in one room that the next batch overwrites, since asking the system for memory at every step costs
        more than the copy itself.
        """
        if self._table is None:
            return self.prepare(gather(self.split, indices, dtype=self.dtype))
        shape = (indices.numel(), *self._table.shape[1:])
        if self._room.shape[1:] != shape[1:] or len(self._room) < shape[0]:
            self._room = self._table.new_empty(shape)
        rows = self._room[: shape[0]]
        torch.index_select(self._table, 0, indices.reshape(-1), out=rows)
        return rows.view(*indices.shape, *shape[1:])

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features (B, *shape) and labels (B,) of the whole split in order, in batches for evaluation."""
        for start, stop in ranges(len(self), self.split.images[:1].numel()):
            labels = self.labels[start:stop]
            if self._table is not None:
                yield self._table[start:stop], labels
            else:
                yield self.batch(torch.arange(start, stop, device=self.labels.device)), labels

    def _prepare_all(self) -> Tensor:
        table: Tensor | None = None
        for start, stop in ranges(len(self), self.split.images[:1].numel()):
            indices = torch.arange(start, stop, device=self.labels.device)
            rows = self.prepare(gather(self.split, indices, dtype=self.dtype))
            if table is None:
                table = rows.new_empty(len(self), *rows.shape[1:])
            table[start:stop] = rows
        assert table is not None  # the split is not empty
        return table


def ranges(images: int, pixels: int, batch_size: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut 0..images into batches for evaluation: of `batch_size`, or so that memory stays small."""
    step = batch_size or max(1, min(EVALUATION_IMAGES, EVALUATION_PIXELS // max(1, pixels)))
    for start in range(0, images, step):
        yield start, min(start + step, images)
