"""A slice of the loss surface around a network's weights, along filter-normalised random directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from gradlab.data import Dataset, Split
from gradlab.models._randomness import seeded
from gradlab.training.modes import kept_modes
from gradlab.training.probe import Batch, Loss, batch_of, loss_on
from gradlab.training.probes import check_module
from gradlab.types import UserError, derive_seed

Direction = dict[str, Tensor]
"""A tensor of the parameter's shape for every trained parameter."""


@dataclass(frozen=True)
class LossSurface:
    """Losses along one or two directions; 0 is the network itself, 1 as far as the weights are long.

    Attributes:
        first: (n,) places along the first direction, ascending. second: (n,) along the second, None for one direction.
        losses: (n,), or (n, n) with losses[i, j] at first[i] and second[j]; not finite where the loss overflows.
    """

    first: np.ndarray
    second: np.ndarray | None
    losses: np.ndarray


def loss_surface(
    model: nn.Module,
    data: Dataset | Split | Batch,
    *,
    dimensions: Literal[1, 2] = 1,
    extent: float = 1.0,
    points: int = 21,
    batch_size: int = 512,
    loss: Loss = functional.cross_entropy,
    generator: torch.Generator | None = None,
) -> LossSurface:
    """Cut the loss surface through a network's weights (Li et al., 2018, arXiv:1712.09913, section 4).

    A direction is Gaussian and then scaled filter by filter to the length of the network's own filters, so that slices
    of different networks compare; biases and the scales of norms do not move. The loss is of the fixed training batch,
    in eval mode, as in the paper. The model is left as it was: the moved weights are copies.

    Args:
        model: any module; its outputs and the labels go to `loss`.
        data: its train part (or a training split) gives the fixed batch; or a batch of your own, (inputs, labels).
        dimensions: 1 or 2 directions; 2 take points² forward passes.
        extent: how far to go to either side, in lengths of the weights.
        points: places along a direction; odd, so that 0 is one of them.
        batch_size: images in the fixed batch.
        loss: a mean over the batch.
        generator: on the CPU, source of the directions; the same directions every time if not given.

    Raises:
        UserError: test data, a batch that model or loss cannot read, an even number of points, other dimensions, no
            module, or nothing that trains.
    """
    if dimensions not in (1, 2):
        raise UserError(f"a loss surface is cut along 1 or 2 directions, got dimensions={dimensions!r}.")
    if points < 3 or points % 2 == 0:
        raise UserError(
            f"points must be odd and at least 3, so that the network itself is one of them, got {points}."
        )
    if not extent > 0:
        raise UserError(
            f"extent must be above 0, in lengths of the weights, got {extent}; 1.0 is a good start."
        )
    check_module(model, "loss_surface")
    weights = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    if not any(weight.dim() > 1 for weight in weights.values()):
        raise UserError(
            "this model has no trained weight to move; set requires_grad=True on what should train."
        )
    batch = batch_of(data, batch_size, next(iter(weights.values())), "loss_surface")
    generator = generator or torch.Generator().manual_seed(derive_seed(0, "loss surface"))
    directions = [filter_normalised(weights, generator) for _ in range(dimensions)]
    steps = torch.linspace(-extent, extent, points, dtype=torch.float64).tolist()
    places = [(a,) for a in steps] if dimensions == 1 else [(a, b) for a in steps for b in steps]
    with kept_modes(model), seeded(0, batch[0].device), torch.no_grad():
        model.eval()
        losses = [
            float(loss_on(batch, partial(functional_call, model, _moved(weights, directions, place)), loss))
            for place in places
        ]
    first = np.array(steps)
    return LossSurface(
        first, first if dimensions == 2 else None, np.array(losses).reshape((points,) * dimensions)
    )


def filter_normalised(weights: Direction, generator: torch.Generator) -> Direction:
    """Draw a direction whose filters, the slices along the first axis, are as long as those of `weights`; vectors get 0."""
    direction = {}
    for name, weight in weights.items():
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64).to(
            weight.device, weight.dtype
        )
        if weight.dim() < 2:
            direction[name] = torch.zeros_like(weight)
            continue
        axes = tuple(range(1, weight.dim()))
        lengths, own = (torch.linalg.vector_norm(part, dim=axes, keepdim=True) for part in (drawn, weight))
        direction[name] = drawn * (own / lengths)
    return direction


def _moved(weights: Direction, directions: Sequence[Direction], place: Sequence[float]) -> Direction:
    moved = weights
    for distance, direction in zip(place, directions, strict=True):
        moved = {name: weight + distance * direction[name] for name, weight in moved.items()}
    return moved
