"""Which classes a targeted attack goes for, image by image."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.attacks._goal import look, prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.types import UserError


def least_likely(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return (N,) int64, for each image the class other than its label that the model finds least likely.

    The hardest targets (Kurakin et al., 2017, arXiv:1607.02533, section 2.3).

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); left as it was found.
        images: (N, C, H, W) float in [0, 1]. labels: (N,) int64 in [0, K).
    """
    with undisturbed(model):
        images, goal = prepare(images, labels, None)
        if not len(images):
            return goal.labels
        logits = look(model, images, goal, gradient=False).logits
    return logits.scatter(1, labels[:, None], torch.inf).argmin(1)


def one_class(labels: torch.Tensor, target: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rows (M,) of images of any other class, and for these the one target (M,), both int64.

    >>> import torch
    >>> one_class(torch.tensor([3, 5, 0]), 5)
    (tensor([0, 2]), tensor([5, 5]))

    Args:
        labels: (N,) int64. target: the class to reach; images that have it already cannot be attacked towards it.

    Raises:
        UserError: a negative class, or one that all images have already.
    """
    rows = (labels != target).nonzero()[:, 0]
    if target < 0 or (len(labels) and not len(rows)):
        raise UserError(
            f"the target must be a class, other than that of some of the images, got {target}; choose another one."
        )
    return rows, torch.full_like(labels[rows], target)


def likeliest_others(logits: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
    """Return (N, M) int64, the likeliest classes but the label, likeliest first; M = min(count, K - 1)."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.topk(min(count, logits.shape[1] - 1), dim=1).indices
