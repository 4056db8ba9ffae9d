"""The state at the start of an epoch, kept where it is small, so that a divergence can be played again and named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradlab.training.divergence import find_divergence
from gradlab.training.feed import Feed
from gradlab.training.loop import Measured, State
from gradlab.training.objective import Objective
from gradlab.training.optimizer import load_optimizer_state, optimizer_state, state_rows
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.setup import fresh_state
from gradlab.training.trainee import weights_of
from gradlab.training.weights import Weights

LARGEST = 64 * 2**20
"""Most bytes that are copied at the start of every epoch."""


@dataclass(frozen=True)
class Start:
    """Copies of all that changes, as it is before an epoch."""

    weights: Weights
    optimizer: dict[str, Tensor]
    average: Weights | None
    scale: dict[str, Any] | None


def start_of_epoch(state: State) -> Start | None:
    """Copy a state; None where that would take more than `LARGEST` bytes."""
    weights, optimizer = weights_of(state.trainee), optimizer_state(state.optimizer)
    average = state.average
    size = weights.nbytes + sum(value.numel() * value.element_size() for value in optimizer.values())
    if size + (0 if average is None else average.nbytes) > LARGEST:
        return None
    return Start(
        weights.clone(),
        {name: value.clone() for name, value in optimizer.items()},
        None if average is None else average.clone(),
        None if state.scaler is None else state.scaler.state_dict(),
    )


def locate(
    state: State,
    start: Start | None,
    position: int,
    measured: Measured,
    *,
    recipe: Recipe,
    train: Feed,
    validation: Feed | None,
    precision: Precision,
    objective: Objective,
) -> str:
    """Say where network `position` of `state` diverged in the epoch that has just ended.

    It is played again from `start`; where that was too large to keep, the losses of the steps tell.
    """
    if start is None:
        return _from_losses(state.epoch, measured.losses[:, position])
    solo = state.trainee.keep([position])
    with torch.no_grad():
        weights_of(solo).copy_(start.weights.row(position))
    alone = fresh_state(solo, recipe, precision)
    alone.epoch = state.epoch
    if alone.scaler is not None and start.scale is not None:
        alone.scaler.load_state_dict(start.scale)
    load_optimizer_state(alone.optimizer, state_rows(start.optimizer, [position]))
    alone.average = None if start.average is None else start.average.rows([position])
    return find_divergence(alone, recipe, train, validation, precision, objective)


def _from_losses(epoch: int, losses: Tensor) -> str:
    bad = (~torch.isfinite(losses)).nonzero().flatten().tolist()
    if not bad:
        return f"epoch {epoch}: weights or validation are not finite while the losses of all steps are"
    return f"epoch {epoch}, step {bad[0] + 1} of {len(losses)}: the loss is not finite"
