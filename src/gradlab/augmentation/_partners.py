"""The partner of each image inside its own batch."""

from __future__ import annotations

import torch
from torch import Tensor

from gradlab.types import UserError


def partners_of(images: Tensor, labels: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Gather partners and their labels: images (..., B, C, H, W), labels (..., B), drawn (..., B, k), partner first.

    Raises:
        UserError: the shapes do not belong together.
    """
    batch = images.shape[:-3]
    if images.dim() not in (4, 5) or labels.shape != batch or drawn.shape[:-1] != batch:
        raise UserError(
            "images (B, C, H, W) or (S, B, C, H, W) need labels and draws of the same batch, got "
            f"{tuple(images.shape)}, {tuple(labels.shape)} and {tuple(drawn.shape)}."
        )
    rows = drawn[..., 0].to(images.device, torch.int64).reshape(-1, batch[-1])
    starts = batch[-1] * torch.arange(len(rows), device=rows.device)
    rows = rows + starts[:, None]  # partners stay inside the seed
    others = images.reshape(-1, *images.shape[-3:]).index_select(0, rows.flatten())
    return others.view(images.shape), labels.reshape(-1)[rows.flatten()].view(labels.shape)
