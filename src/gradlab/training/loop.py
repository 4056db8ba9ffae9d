"""One epoch of training and one of validation, for all seeds of an ensemble at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.data import Split, gather, order
from gradlab.training.device import DTYPES, autocast
from gradlab.training.ensemble import Ensemble
from gradlab.training.optimizer import clip_rows
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.schedule import rate_factor
from gradlab.types import UserError

EVALUATION_BATCH = 1000


@dataclass
class State:
    """What changes while an ensemble trains."""

    ensemble: Ensemble
    optimizer: torch.optim.Optimizer
    average: Tensor | None = None
    scaler: torch.amp.GradScaler | None = None
    epoch: int = 0


def steps_per_epoch(recipe: Recipe, images: int) -> int:
    """Count the batches of one epoch; the last may be smaller."""
    return math.ceil(images / recipe.batch_size)


def train_epoch(state: State, recipe: Recipe, train: Split, precision: Precision) -> tuple[Tensor, Tensor]:
    """Train on every image once.

    Returns: mean training loss and accuracy over the epoch, each (S,), measured on the batches as they came.
    """
    ensemble = state.ensemble
    ensemble.module.train()
    ensemble.reseed(state.epoch)
    images = len(train)
    orders = torch.stack([order(images, seed=seed, epoch=state.epoch) for seed in ensemble.seeds])
    orders = orders.to(train.labels.device)
    losses = torch.zeros(len(ensemble.seeds), device=orders.device, dtype=torch.float64)
    correct = torch.zeros(len(ensemble.seeds), device=orders.device, dtype=torch.int64)
    steps = steps_per_epoch(recipe, images)
    for step in range(steps):
        indices = orders[:, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        set_rate(state, recipe, step, steps)
        loss, hits = train_step(state, recipe, train, indices, precision)
        losses += loss.double() * indices.shape[1]
        correct += hits
    return losses / images, correct.double() / images


def set_rate(state: State, recipe: Recipe, step: int, steps: int) -> None:
    """Set the learning rate of this step."""
    factor = rate_factor(recipe.schedule, (state.epoch - 1) * steps + step, steps, recipe.epochs)
    state.optimizer.param_groups[0]["lr"] = recipe.learning_rate * factor


def train_step(
    state: State, recipe: Recipe, train: Split, indices: Tensor, precision: Precision
) -> tuple[Tensor, Tensor]:
    """Take one step on the images at `indices` (S, B); returns loss (S,) and correct predictions (S,)."""
    ensemble, optimizer = state.ensemble, state.optimizer
    images = gather(train, indices, dtype=DTYPES[precision])
    labels = train.labels[indices]
    with autocast(images.device, precision):
        logits = ensemble.module(images)
    check_logits(logits, labels)
    loss = batch_loss(
        logits.float() if precision in ("bf16", "fp16") else logits, labels, recipe.label_smoothing
    )
    total = loss.sum()
    ensemble.set_gradient(total if state.scaler is None else state.scaler.scale(total))
    if state.scaler is not None:
        state.scaler.unscale_(optimizer)
    if recipe.clip_norm is not None:
        clip_rows(ensemble.flat.grad, recipe.clip_norm)  # type: ignore[arg-type]
    if state.scaler is None:
        optimizer.step()
    else:
        state.scaler.step(optimizer)
        state.scaler.update()
    if state.average is not None and recipe.ema is not None:
        state.average.lerp_(ensemble.flat.detach(), 1 - recipe.ema)
    with torch.no_grad():
        return loss.detach(), (logits.argmax(-1) == labels).sum(1)


def batch_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of each network: logits (S, B, K), labels (S, B) to (S,)."""
    losses = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=smoothing
    )
    return losses.view(labels.shape).mean(1)


def check_logits(logits: Tensor, labels: Tensor) -> None:
    """Refuse a model whose output is not one row of logits an image."""
    if logits.dim() != 3 or logits.shape[:2] != labels.shape:
        raise UserError(
            f"the model must return logits of shape (N, K), got {tuple(logits.shape[1:])} for {labels.shape[1]} images; "
            "flatten or pool before its last linear layer."
        )


@torch.no_grad()
def validate(state: State, split: Split, precision: Precision) -> tuple[Tensor, Tensor]:
    """Return loss and accuracy of every network on `split`, each (S,), in eval mode."""
    ensemble = state.ensemble
    rows = len(ensemble.seeds)
    logits = ensemble_logits(ensemble, split, precision)
    labels = split.labels.expand(rows, -1)
    losses = batch_loss(logits, labels)
    return losses.double(), (logits.argmax(-1) == labels).double().mean(1)


@torch.no_grad()
def ensemble_logits(ensemble: Ensemble, split: Split, precision: Precision) -> Tensor:
    """Return logits (S, N, K) of every network on every image, in eval mode."""
    ensemble.module.eval()
    rows, parts = len(ensemble.seeds), []
    for start in range(0, len(split), EVALUATION_BATCH):
        indices = torch.arange(start, min(start + EVALUATION_BATCH, len(split)), device=split.labels.device)
        images = gather(split, indices, dtype=DTYPES[precision])
        with autocast(images.device, precision):
            logits = ensemble.module(images.expand(rows, *images.shape))
        parts.append(logits.float() if precision in ("bf16", "fp16") else logits)
    return torch.cat(parts, dim=1)
