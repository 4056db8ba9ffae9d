"""Orders in which texts of like length stand together, so that batches hold little padding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from gradlab.data import order
from gradlab.types import derive_seed

POOL = 50
"""Batches among which texts are sorted by length; more leave less padding, and less chance in who meets whom."""
EVALUATION_TOKENS = 2**12
"""Most tokens, with padding, of one batch without gradients."""


def training_order(lengths: Tensor, batch_size: int, *, seed: int, epoch: int) -> Tensor:
    """Return the order in which an epoch visits N texts; it depends on (lengths, batch_size, seed, epoch) alone.

    All texts are shuffled, sorted by length within pools of 50 batches, cut into batches, and the batches shuffled;
    a last, smaller batch stays last, so that cutting the order every `batch_size` texts gives these batches.

    Args:
        lengths: (N,) tokens of each text.
    Returns: (N,) int64, a permutation of 0..N-1, on the lengths' device.
    """
    shuffled = order(len(lengths), seed=seed, epoch=epoch, device=lengths.device)
    pools = torch.split(shuffled, POOL * batch_size)
    by_length = torch.cat([pool[lengths[pool].argsort(stable=True)] for pool in pools])
    full = len(lengths) // batch_size
    generator = torch.Generator().manual_seed(derive_seed(seed, "order of batches", epoch))
    places = torch.randperm(full, generator=generator).to(lengths.device)
    head, last = by_length[: full * batch_size], by_length[full * batch_size :]
    return torch.cat([head.view(full, batch_size)[places].flatten(), last])


def evaluation_batches(lengths: Tensor) -> Iterator[Tensor]:
    """Yield indices of all texts once, the shortest first, as many at a time as fit into 4,096 padded tokens."""
    by_length = lengths.argsort(stable=True)
    ascending = lengths[by_length].tolist()
    start = 0
    while start < len(ascending):
        stop = start + 1
        while stop < len(ascending) and (stop + 1 - start) * ascending[stop] <= EVALUATION_TOKENS:
            stop += 1
        yield by_length[start:stop]
        start = stop


def padding_share(lengths: Tensor, batches: Iterable[Tensor]) -> float:
    """Return the share of padding among all tokens of batches filled up to their longest text, in [0, 1)."""
    parts = [lengths[batch] for batch in batches]
    places = sum(len(part) * int(part.max()) for part in parts)
    return 1 - sum(int(part.sum()) for part in parts) / places
