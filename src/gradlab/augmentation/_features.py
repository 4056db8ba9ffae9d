"""Features of a batch, moved along the line to a neighbour of the same class, or by noise."""

from __future__ import annotations

import torch
from torch import Tensor

from gradlab.augmentation._rows import working_dtype
from gradlab.types import UserError


def check_features(features: Tensor, labels: Tensor, drawn: Tensor, columns: int) -> None:
    """Refuse features, labels and draws that do not belong together."""
    fits = labels.shape == features.shape[:-1] and drawn.shape == (*labels.shape, columns)
    if features.dim() not in (2, 3) or not fits:
        raise UserError(
            f"features (B, D) or (S, B, D) need labels of the same batch and draws of {columns} columns, got "
            f"{tuple(features.shape)}, {tuple(labels.shape)} and {tuple(drawn.shape)}; flatten the features of an image."
        )


def neighbours_of(features: Tensor, labels: Tensor, picks: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Pick for each row one of its nearest of the same class in its batch.

    Args:
        features: (..., B, D).
        labels: (..., B).
        picks: (..., B) in [0, 1): which of the nearest, from 0 for the nearest.
        most: how many nearest there are to pick from; fewer where the class has fewer.
    Returns: (..., B) int64 rows of the batch, and (..., B) bool whether there is a neighbour at all.
    """
    batch = features.shape[-2]
    places = features.detach().to(working_dtype(features)).view(-1, batch, features.shape[-1])
    distances = torch.stack([_distances(rows) for rows in places]).view(*labels.shape, batch)
    others = labels[..., :, None] == labels[..., None, :]
    others = others & ~torch.eye(batch, dtype=torch.bool, device=labels.device)
    distances = distances.masked_fill(~others, torch.inf)
    near = distances.topk(min(most, batch), dim=-1, largest=False).indices
    available = others.sum(-1).clamp(max=near.shape[-1])
    rank = (picks * available).long().minimum((available - 1).clamp(min=0))
    return near.gather(-1, rank[..., None]).squeeze(-1), available > 0


def _distances(rows: Tensor) -> Tensor:
    """Squared distances of rows (B, D) less a number for each row; alone, so that the bits do not depend on the stack."""
    centred = rows - rows.mean(0)
    return (centred**2).sum(1) - 2 * centred @ centred.T


def move(features: Tensor, labels: Tensor, drawn: Tensor, towards: float, most: int) -> Tensor:
    """Move chosen rows by `towards` times the way to their neighbour."""
    rows, found = neighbours_of(features, labels, drawn[..., 1], most)
    neighbours = features.gather(-2, rows[..., None].expand(features.shape))
    changed = (found & (drawn[..., 0] > 0))[..., None]
    return torch.where(changed, features + towards * (neighbours - features), features)


def add_noise(features: Tensor, drawn: Tensor, strength: float) -> Tensor:
    """Add normal noise of `strength` standard deviations of each feature over the batch."""
    spread = features.detach().std(-2, correction=0, keepdim=True)
    moved = features + strength * spread * drawn[..., 1:].to(features.dtype)
    return torch.where(drawn[..., :1] > 0, moved, features)
