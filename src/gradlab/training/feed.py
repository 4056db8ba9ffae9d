"""What `fit` reads its batches from: a protocol, and the feed of images, prepared once where that fits in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from gradlab.data import Split, draw, gather, order, resample
from gradlab.data.batches import bytes_at
from gradlab.data.registry import Role
from gradlab.data.splits import Origin

TABLE_BYTES = 256 * 2**20
"""Largest table of prepared features; above it batches are prepared one by one."""
EVALUATION_IMAGES, EVALUATION_PIXELS = 1000, 2**22
"""Most images and most numbers of one batch without gradients."""
Inputs = Tensor | Mapping[str, Tensor]
"""What a model reads of a batch: one tensor, `model(inputs)`, or several by name, `model(**inputs)`."""


@runtime_checkable
class Feed(Protocol):
    """Samples on their way into training, wherever they come from: images, tokens, features.

    `fit(model, feed, recipe, validation=feed)` takes one in the place of a data set and trains one seed at a time. In
    every step it asks for the indices of the samples, (1, B), and hands what `batch` returns for them to the model
    without that leading axis: `model(inputs)` for a tensor (B, ...), `model(**inputs)` for tensors by name, such as
    `{"input_ids": (B, L), "attention_mask": (B, L)}`. The model returns logits (B, K), or an object that has them as
    `logits`.

    A feed keeps no state between batches: the same seed, epoch and indices give the same bits, which is what makes a
    resumed training exact. How long L is may differ from batch to batch, so padding to a batch's longest sample belongs in
    `batch`, and putting samples of like length side by side in `order`, which knows how large the batches are.
    """

    @property
    def role(self) -> Role:
        """What the samples may be used for; "test" is refused by whatever trains or selects."""

    @property
    def origin(self) -> Origin:
        """Of the data that the feed was made from, as their split carries it; its role counts as well."""

    @property
    def labels(self) -> Tensor:
        """Labels of all samples, (N,) int64, on the feed's device."""

    def __len__(self) -> int:
        """Count the samples of one epoch, at most N."""

    def digest(self) -> str:
        """Return a SHA-256 in hex over all that a batch depends on; a checkpoint of other data is refused by it."""

    def order(self, seed: int, epoch: int, batch_size: int) -> Tensor:
        """Return what `seed` visits in `epoch`, in its order: (len(self),) int64 indices in [0, N), on the device.

        Training cuts it into batches of `batch_size` from the start; the last may be smaller.
        """

    def batch(self, indices: Tensor) -> Inputs:
        """Return the inputs at `indices` of any shape, such as (1, B): every tensor (*indices.shape, ...).

        They are read before the next call, which may overwrite them.
        """

    def parts(self) -> Iterator[tuple[Tensor, Inputs]]:
        """Yield indices (B,) and inputs (B, ...), every sample once, in any order, in batches for evaluation."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Feed:
        """Return this feed with all tensors on `device` and inputs that are no integers in `dtype`."""


class ImageFeed:
    """Batches of prepared features (..., *shape) of a split's images.

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
        self.labels, self.role, self.origin = split.labels, split.role, split.origin
        self._images, self._keep_table = images, keep_table
        self._drawn: dict[int, Tensor] = {}
        self._table: Tensor | None = None
        self._room = torch.empty(0)
        self._smaller: tuple[int, Tensor] | None = None
        if keep_table and 0 < split.images.numel() * dtype.itemsize <= TABLE_BYTES:
            self._table = self._prepare_all()

    def __len__(self) -> int:
        """Count the images of one epoch."""
        return len(self.split) if self._images is None else len(self._of_seed(0))

    @property
    def full_size(self) -> int:
        """Height of the images in pixels."""
        return self.split.images.shape[-2]

    def digest(self) -> str:
        """Return a SHA-256 over the split: that of its origin where the split is whole."""
        if self.origin.digest:
            return self.origin.digest
        found = hashlib.sha256()
        for tensor in (self.split.images, self.split.labels):
            found.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
        return found.hexdigest()

    def order(self, seed: int, epoch: int, batch_size: int = 1) -> Tensor:  # noqa: ARG002 - of the protocol
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

    def images(self, indices: Tensor, size: int | None = None) -> Tensor:
        """Return the images at `indices`, in [0, 1], before they are prepared: (*indices.shape, C, H, W).

        With a size, height and width are that many pixels: all images are resampled when a size is first asked for.
        """
        if size is None:
            return gather(self.split, indices, dtype=self.dtype)
        if self._smaller is None or self._smaller[0] != size:
            found = resample(self.split.images.cpu().numpy(), (size, size))
            self._smaller = (size, torch.from_numpy(found).to(self.labels.device))
        return bytes_at(self._smaller[1], indices, self.dtype)

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield indices (B,) and features (B, *shape) of the whole split in order, in batches for evaluation."""
        for start, stop in ranges(len(self.split), self.split.images[:1].numel()):
            indices = torch.arange(start, stop, device=self.labels.device)
            yield indices, self.batch(indices) if self._table is None else self._table[start:stop]

    def to(self, device: torch.device, dtype: torch.dtype) -> ImageFeed:
        """Return this feed on `device`, with features of type `dtype`."""
        split = self.split.to(device)
        if split is self.split and dtype == self.dtype:
            return self
        return ImageFeed(split, dtype, self.prepare, images=self._images, keep_table=self._keep_table)

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
