"""Work on the rows of a batch that change; the others stay bit-equal."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Change = Callable[[Tensor, Tensor], Tensor]


def change_rows(images: Tensor, changed: Tensor, change: Change) -> Tensor:
    """Replace the rows that `changed` (N,) marks by change(their images, their numbers); the input is not written to."""
    rows = changed.nonzero().squeeze(1)
    if len(rows) == 0:
        return images
    if len(rows) == len(images):
        return change(images, rows)
    there = rows.to(images.device)
    return images.index_copy(0, there, change(images.index_select(0, there), rows))


def working_dtype(images: Tensor) -> torch.dtype:
    """Return the type to compute in: halves are computed in float32."""
    return images.dtype if images.dtype == torch.float64 else torch.float32
