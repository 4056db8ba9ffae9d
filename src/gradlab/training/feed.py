"""A split on its way into an ensemble: brought to the network's features once where that fits in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gradlab.data import Split, draw, gather, order

TABLE_BYTES = 256 * 2**20
"""Largest table of prepared features; above it batches are prepared one by one."""
EVALUATION_IMAGES, EVALUATION_PIXELS = 1000, 2**22
"""Most images and most numbers of one batch without gradients."""


class Feed:
    """Batches of prepared features (..., *shape) and labels.

    Preparing (to [0, 1], then the network's fixed first layers) works on each number alone, so that doing it before
    or after the gathering gives the same bits; before is once a training instead of once a step.

    Args:
        images: how many of the split's images an epoch visits, drawn afresh for every seed; all if not given.
        keep_table: whether to prepare all images once; not where they are changed before they are prepared.
    """

    def __init__(
        self,
        split: Split,
        dtype: torch.dtype,
        prepare: Callable[[Tensor], Tensor] = lambda images: images,
        *,
        images: int | None = None,
        keep_table: bool = True,
    ) -> None:
        self.split, self.dtype, self.prepare = split, dtype, prepare
        self.labels = split.labels
        self._images = images
        self._drawn: dict[int, Tensor] = {}
        self._table: Tensor | None = None
        self._room = torch.empty(0)
        if keep_table and 0 < split.images.numel() * dtype.itemsize <= TABLE_BYTES:
            self._table = self._prepare_all()

    def __len__(self) -> int:
        """Count the images of one epoch."""
        return len(self.split) if self._images is None else len(self._of_seed(0))

    def order(self, seed: int, epoch: int) -> Tensor:
        """Return the indices of the images that `seed` visits in `epoch`, in their order, on the labels' device."""
        visits = order(len(self), seed=seed, epoch=epoch, device=self.labels.device)
        return visits if self._images is None else self._of_seed(seed)[visits]

    def _of_seed(self, seed: int) -> Tensor:
        """The training images of one seed, drawn once."""
        assert self._images is not None  # else every seed has all of them
        if seed not in self._drawn:
            self._drawn[seed] = draw(self.labels, self._images, seed=seed)
        return self._drawn[seed]

    def batch(self, indices: Tensor) -> Tensor:
        """Return the features at `indices` of any shape, such as (S, B): (*indices.shape, *shape).

        They lie in one room that the next batch overwrites, since asking the system for memory at every step costs
        more than the copy itself.
        """
        if self._table is None:
            return self.prepare(self.images(indices))
        shape = (indices.numel(), *self._table.shape[1:])
        if self._room.shape[1:] != shape[1:] or len(self._room) < shape[0]:
            self._room = self._table.new_empty(shape)
        rows = self._room[: shape[0]]
        torch.index_select(self._table, 0, indices.reshape(-1), out=rows)
        return rows.view(*indices.shape, *shape[1:])

    def images(self, indices: Tensor) -> Tensor:
        """Return the images at `indices`, in [0, 1], before they are prepared: (*indices.shape, C, H, W)."""
        return gather(self.split, indices, dtype=self.dtype)

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features (B, *shape) and labels (B,) of the whole split in order, in batches for evaluation."""
        for start, stop in ranges(len(self.split), self.split.images[:1].numel()):
            labels = self.labels[start:stop]
            if self._table is not None:
                yield self._table[start:stop], labels
            else:
                yield self.batch(torch.arange(start, stop, device=self.labels.device)), labels

    def _prepare_all(self) -> Tensor:
        table: Tensor | None = None
        for start, stop in ranges(len(self.split), self.split.images[:1].numel()):
            indices = torch.arange(start, stop, device=self.labels.device)
            rows = self.prepare(gather(self.split, indices, dtype=self.dtype))
            if table is None:
                table = rows.new_empty(len(self.split), *rows.shape[1:])
            table[start:stop] = rows
        assert table is not None  # the split is not empty
        return table


def ranges(images: int, pixels: int, batch_size: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut 0..images into batches for evaluation: of `batch_size`, or so that memory stays small."""
    step = batch_size or max(1, min(EVALUATION_IMAGES, EVALUATION_PIXELS // max(1, pixels)))
    for start in range(0, images, step):
        yield start, min(start + step, images)
