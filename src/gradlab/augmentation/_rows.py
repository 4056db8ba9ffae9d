"""Work on the rows of a batch that change, in blocks that stay in the cache; the others stay bit-equal."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Rows = Tensor | slice
Change = Callable[[Tensor, Rows], Tensor]
NUMBERS_AT_ONCE = 3 * 2**17
"""Most numbers of one block on a CPU; with larger ones the system is asked for fresh memory at every step."""


def change_rows(images: Tensor, changed: Tensor, change: Change) -> Tensor:
    """Replace the rows that `changed` (N,) marks by change(their images, which rows); the input is not written to."""
    numbers = changed.nonzero().squeeze(1)
    if len(numbers) == 0:
        return images
    step = _rows_at_once(images)
    if len(numbers) == len(images):
        result = torch.empty_like(images)
        for start in range(0, len(images), step):
            block = slice(start, start + step)
            result[block] = change(images[block], block)
        return result
    result = images.clone()
    for rows in torch.split(numbers, step):
        there = rows.to(images.device)
        result.index_copy_(0, there, change(images.index_select(0, there), rows))
    return result


def _rows_at_once(images: Tensor) -> int:
    if images.device.type != "cpu":
        return len(images)
    return max(1, NUMBERS_AT_ONCE // max(1, images[0].numel()))


def working_dtype(images: Tensor) -> torch.dtype:
    """Return the type to compute in: halves are computed in float32."""
    return images.dtype if images.dtype == torch.float64 else torch.float32
