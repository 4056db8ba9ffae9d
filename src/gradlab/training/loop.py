"""One epoch of training and one of validation, for all networks of a trainee at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from gradlab.training.augment import Augmenter, Mixture
from gradlab.training.feed import Feed, ImageFeed, Inputs
from gradlab.training.forward import TrainingForward
from gradlab.training.joined import joined
from gradlab.training.modes import set_training
from gradlab.training.objective import Batch, CrossEntropy, Objective
from gradlab.training.optimizer import clip_rows, set_rates, take_step
from gradlab.training.ranks import ALONE, Ranks, gathered
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.schedule import rate_factor
from gradlab.training.trainee import Trainee, weights_of
from gradlab.training.weights import Weights


@dataclass
class State:
    """What changes while networks train."""

    trainee: Trainee
    optimizer: torch.optim.Optimizer
    average: Weights | None = None
    scaler: torch.amp.GradScaler | None = None
    augmenter: Augmenter | None = None
    epoch: int = 0
    rate: float = 0.0
    size: int | None = None
    ranks: Ranks = ALONE


@dataclass(frozen=True)
class Measured:
    """What an epoch of training measured on its batches as they came.

    Attributes:
        metrics: mean over the epoch by name, "loss" among them, each (S,). losses: of every step, (steps, S).
    """

    metrics: dict[str, Tensor]
    losses: Tensor


def steps_per_epoch(recipe: Recipe, samples: int) -> int:
    """Count the batches of one epoch; the last may be smaller."""
    return math.ceil(samples / recipe.batch_size)


def work_left(recipe: Recipe, epoch: int, train: Feed) -> float:
    """Return what is to come after an epoch, counted in epochs like it: those on smaller images take less time."""
    size = recipe.size_in(epoch)
    if size is None or not isinstance(train, ImageFeed):
        return float(recipe.epochs - epoch)
    later = (recipe.size_in(one) or train.full_size for one in range(epoch + 1, recipe.epochs + 1))
    return sum(one**2 for one in later) / size**2


def train_epoch(
    state: State,
    recipe: Recipe,
    train: Feed,
    precision: Precision,
    objective: Objective | None = None,
    after_step: Callable[[int], None] = lambda _step: None,
) -> Measured:
    """Train on every sample once.

    Args:
        objective: cross-entropy if not given.
        after_step: hears the number of steps taken since the start of training.
    """
    objective = objective or CrossEntropy(recipe.label_smoothing)
    orders = start_epoch(state, recipe, train)
    samples, steps = orders.shape[1], steps_per_epoch(recipe, orders.shape[1])
    room = (steps, len(orders))
    losses = torch.zeros(room, device=orders.device, dtype=torch.float64)
    sums = {name: torch.zeros(room, device=orders.device, dtype=torch.float64) for name in objective.training}
    for step in range(steps):
        set_rate(state, recipe, step, steps)
        indices = orders[:, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        batch = training_batch(state, train, indices, (state.epoch - 1) * steps + step)
        losses[step], measured = train_step(state, recipe, batch, precision, objective)
        for name, values in measured.items():
            sums[name][step] = values
        after_step(batch.step + 1)
    state.ranks.sum_([losses, *sums.values()])
    weighted = losses.clone()
    weighted[-1] *= (samples - (steps - 1) * recipe.batch_size) / recipe.batch_size  # it may be smaller
    metrics = {"loss": weighted.sum(0) * recipe.batch_size / samples}
    return Measured(metrics | {name: values.sum(0) / samples for name, values in sums.items()}, losses)


def start_epoch(state: State, recipe: Recipe, train: Feed) -> Tensor:
    """Start this epoch's modes and streams; returns what every seed visits, (S, samples)."""
    trainee = state.trainee
    state.size = recipe.size_in(state.epoch)
    set_training(trainee.module)
    trainee.reseed(state.epoch)
    if state.augmenter is not None:
        state.augmenter.start(trainee.seeds, state.epoch, len(train.labels))
    return torch.stack([train.order(seed, state.epoch, recipe.batch_size) for seed in trainee.seeds])


def set_rate(state: State, recipe: Recipe, step: int, steps: int) -> None:
    """Set the learning rate of this step."""
    factor = rate_factor(recipe.schedule, (state.epoch - 1) * steps + step, steps, recipe.epochs)
    state.rate = recipe.learning_rate * factor
    set_rates(state.optimizer, state.rate)


def training_batch(state: State, train: Feed, indices: Tensor, step: int) -> Batch:
    """Gather the samples at `indices` (S, B), augmented as the recipe says; `step` were taken before.

    Where several processes train together, each gathers its part of them, with the draws that it has in the whole batch.
    """
    labels, seeds = train.labels[indices], tuple(state.trainee.seeds)
    own = state.ranks.part(indices.shape[1])
    inputs: Inputs
    mixture: Mixture | None = None
    augmenter = state.augmenter if state.augmenter is not None and state.augmenter.changes_images else None
    if augmenter is None and state.size is None:
        inputs = train.batch(indices[:, own])
    else:
        pictures = cast(ImageFeed, train)  # the door refuses to change anything else
        if augmenter is None or augmenter.mixing is None:
            images = pictures.images(indices[:, own], state.size)
            if augmenter is not None:
                images, _ = augmenter.change(images, labels, indices, own)
        else:  # the partners may lie anywhere in the batch
            images, mixed = augmenter.change(pictures.images(indices, state.size), labels, indices)
            images = images[:, own]
            mixture = mixed and Mixture(mixed.labels[:, own], mixed.weight[:, own])
        inputs = pictures.prepare(images)
    return Batch(inputs, labels[:, own], seeds, step, mixture, indices[:, own], whole=indices.shape[1])


def train_step(
    state: State, recipe: Recipe, batch: Batch, precision: Precision, objective: Objective
) -> tuple[Tensor, dict[str, Tensor]]:
    """Take one step; returns the loss (S,) and the sum over the batch of every training metric, (S,) each."""
    loss, outputs = set_gradient(state, batch, precision, objective)
    optimizer, trained = state.optimizer, state.trainee.trained
    if state.scaler is not None:
        state.scaler.unscale_(optimizer)
    if recipe.clip_norm is not None:
        clip_rows([flat.grad for flat in trained.flats if flat.grad is not None], recipe.clip_norm)
    if state.scaler is None:
        take_step(optimizer)
    else:
        state.scaler.step(optimizer)
        state.scaler.update()
    if state.average is not None and recipe.ema is not None:
        state.average.average_(weights_of(state.trainee), recipe.ema)
    measured = objective.measure(outputs.detach(), batch)
    return loss.detach(), {name: values.sum(1) for name, values in measured.items()}


def set_gradient(
    state: State, batch: Batch, precision: Precision, objective: Objective
) -> tuple[Tensor, Tensor]:
    """Compute the gradient of the objective on a batch; returns loss (S,) and outputs (S, B, K).

    Of several processes each returns its part of the loss, and the gradients are summed: the parts are weighted by their samples.
    """
    ranks, whole = state.ranks, batch.whole or batch.labels.shape[1]
    forward = TrainingForward(state, precision, batch.labels, prepare=objective.changes_inputs)
    trained = state.trainee.trained
    with joined(state.trainee.module, ranks, whole, batch.labels.device):
        loss, outputs = objective(forward, batch)
        if ranks.size > 1:
            loss = loss * ranks.share(whole)
        total = loss.sum()
        trained.set_gradient(total if state.scaler is None else state.scaler.scale(total))
    ranks.sum_([flat.grad for flat in trained.flats if flat.grad is not None])
    return loss, outputs


@torch.no_grad()
def validate(
    state: State, feed: Feed, precision: Precision, objective: Objective | None = None
) -> dict[str, Tensor]:
    """Return every validation metric of every network on a whole feed, (S,) each, in eval mode."""
    objective = objective or CrossEntropy()
    trainee = state.trainee
    trainee.module.eval()
    networks, found, ranks = len(trainee.seeds), dict[str, Tensor](), state.ranks
    parts: list[tuple[Tensor, dict[str, Tensor]]] = []
    for number, (indices, inputs) in enumerate(feed.parts()):
        if number % ranks.size != ranks.rank:
            continue
        batch = validation_batch(trainee, feed, indices, inputs, number)
        forward = TrainingForward(state, precision, batch.labels, prepare=objective.changes_inputs)
        parts.append((indices, objective.validate(forward, batch)))
    for indices, measured in gathered(ranks, parts):
        for name, values in measured.items():
            if name not in found:
                found[name] = values.new_zeros(networks, len(feed.labels))
            found[name][:, indices] = values
    sampled = getattr(objective, "sampled", ())
    return {name: _mean(values, partly=name in sampled) for name, values in found.items()}


def _mean(values: Tensor, *, partly: bool) -> Tensor:
    """Average values (S, N) over the samples; partly: over those that are no NaN."""
    if partly:
        return values.nanmean(1).double()
    return values.mean(1).double() if values.is_floating_point() else values.double().mean(1)


def validation_batch(trainee: Trainee, feed: Feed, indices: Tensor, inputs: Inputs, number: int) -> Batch:
    """Return the same samples for every network."""
    networks = len(trainee.seeds)
    labels, rows = feed.labels[indices].expand(networks, -1), indices.expand(networks, -1)
    if isinstance(inputs, Tensor):
        return Batch(inputs.expand(networks, *inputs.shape), labels, tuple(trainee.seeds), number, None, rows)
    every = {name: one.expand(networks, *one.shape) for name, one in inputs.items()}
    return Batch(every, labels, tuple(trainee.seeds), number, None, rows)
