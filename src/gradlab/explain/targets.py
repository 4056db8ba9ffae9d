"""Which number of the network a map explains: a class's logit, or any function of the logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from gradlab._torch import torch
from gradlab.types import UserError

Targets: TypeAlias = "int | Sequence[int] | torch.Tensor | Callable[[torch.Tensor], torch.Tensor] | None"
"""None for each image's predicted class, a class for all, a class for each, or a function of logits (N, K) -> (N,)."""
Chosen: TypeAlias = "torch.Tensor | Callable[[torch.Tensor], torch.Tensor]"
"""Classes (N,) int64, or a function of the logits."""


def choose(logits: torch.Tensor, targets: Targets) -> Chosen:
    """Return what is explained of each of N images, with the predicted class filled in.

    Args:
        logits: (N, K) of the images. targets: see `Targets`.

    Raises:
        UserError: a class that the model does not have, or another number of them than images.
    """
    if targets is None:
        return logits.detach().argmax(1)
    if callable(targets):
        return targets
    try:
        given = torch.as_tensor(targets)
    except (TypeError, ValueError, RuntimeError):
        given = torch.empty(0)
    whole = not given.is_floating_point() and not given.is_complex() and given.dtype != torch.bool
    if not whole or given.shape not in ((), (len(logits),)):
        got = (
            f"{given.dtype} of shape {tuple(given.shape)}"
            if given.numel()
            else " ".join(repr(targets).split())
        )
        raise UserError(
            f"targets are None (the predicted classes), one class number, {len(logits)} of them (one for each image) or a "
            f"function of the logits, got {got:.80}."
        )
    given = given.to(torch.int64)
    low, high = (int(value) for value in given.aminmax())
    if low < 0 or high >= logits.shape[1]:
        raise UserError(
            f"targets must lie in [0, {logits.shape[1]}), the model's classes, got {low if low < 0 else high}."
        )
    return given.to(logits.device).expand(len(logits))


def score_of(logits: torch.Tensor, chosen: Chosen) -> torch.Tensor:
    """Return (N,) the number that is explained.

    Raises:
        UserError: a function of the logits that returns something else.
    """
    if isinstance(chosen, torch.Tensor):
        return logits.gather(1, chosen[:, None])[:, 0]
    found = chosen(logits)
    if not isinstance(found, torch.Tensor) or found.shape != logits.shape[:1]:
        got = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise UserError(
            f"a function as target must return one number for each image, shape ({len(logits)},), got {got}; for class k "
            "write lambda logits: logits[:, k]."
        )
    return found


def rows_of(chosen: Chosen, rows: torch.Tensor | slice) -> Chosen:
    """Return what is explained of some of the images; a function looks at each image by itself and stays."""
    return chosen[rows] if isinstance(chosen, torch.Tensor) else chosen


def probability_of(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return (N,) float64 the softmax probability of a class for each image."""
    return score_of(logits.double().softmax(1), classes)
