"""One epoch of training and one of validation, for all seeds of an ensemble at once."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.training.augment import Augmenter, Mixture
from gradlab.training.device import autocast
from gradlab.training.ensemble import Ensemble
from gradlab.training.feed import ImageFeed
from gradlab.training.modes import set_training
from gradlab.training.optimizer import clip_rows
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.schedule import rate_factor
from gradlab.types import UserError


@dataclass
class State:
    """What changes while an ensemble trains."""

    ensemble: Ensemble
    optimizer: torch.optim.Optimizer
    average: Tensor | None = None
    scaler: torch.amp.GradScaler | None = None
    augmenter: Augmenter | None = None
    epoch: int = 0


def steps_per_epoch(recipe: Recipe, images: int) -> int:
    """Count the batches of one epoch; the last may be smaller."""
    return math.ceil(images / recipe.batch_size)


def train_epoch(
    state: State,
    recipe: Recipe,
    train: ImageFeed,
    precision: Precision,
    after_step: Callable[[int], None] = lambda _step: None,
) -> tuple[Tensor, Tensor]:
    """Train on every image once; `after_step` hears the number of steps taken since the start of training.

    Returns: mean training loss and accuracy over the epoch, each (S,), measured on the batches as they came.
    """
    ensemble, images = state.ensemble, len(train)
    set_training(ensemble.module)
    reseed(state)
    orders = torch.stack([train.order(seed, state.epoch) for seed in ensemble.seeds])
    labels = train.labels[orders]
    steps = steps_per_epoch(recipe, images)
    losses = torch.zeros(steps, len(ensemble.seeds), device=orders.device, dtype=torch.float64)
    correct = torch.zeros(steps, len(ensemble.seeds), device=orders.device, dtype=torch.int64)
    for step in range(steps):
        batch = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
        set_rate(state, recipe, step, steps)
        features, mixture = training_batch(state, train, orders[:, batch], labels[:, batch])
        losses[step], correct[step] = train_step(
            state, recipe, features, labels[:, batch], precision, mixture
        )
        after_step((state.epoch - 1) * steps + step + 1)
    losses[-1] *= (
        images - (steps - 1) * recipe.batch_size
    ) / recipe.batch_size  # the last batch may be smaller
    return losses.sum(0) * recipe.batch_size / images, correct.sum(0).double() / images


def set_rate(state: State, recipe: Recipe, step: int, steps: int) -> None:
    """Set the learning rate of this step."""
    factor = rate_factor(recipe.schedule, (state.epoch - 1) * steps + step, steps, recipe.epochs)
    state.optimizer.param_groups[0]["lr"] = recipe.learning_rate * factor


def reseed(state: State) -> None:
    """Start this epoch's streams of dropout and augmentation."""
    state.ensemble.reseed(state.epoch)
    if state.augmenter is not None:
        state.augmenter.start(state.ensemble.seeds, state.epoch)


def training_batch(
    state: State, train: ImageFeed, indices: Tensor, labels: Tensor
) -> tuple[Tensor, Mixture | None]:
    """Return the prepared features of a training batch (S, B, ...), augmented, and what was mixed into them."""
    if state.augmenter is None or not state.augmenter.changes_images:
        return train.batch(indices), None
    images, mixture = state.augmenter.change(train.images(indices), labels)
    return train.prepare(images), mixture


def train_step(
    state: State,
    recipe: Recipe,
    features: Tensor,
    labels: Tensor,
    precision: Precision,
    mixture: Mixture | None = None,
) -> tuple[Tensor, Tensor]:
    """Take one step on prepared features (S, B, ...); returns loss (S,) and correct predictions (S,)."""
    ensemble, optimizer = state.ensemble, state.optimizer
    with autocast(features.device, precision), augmented_features(state, labels):
        logits = ensemble.forward(features)
    logits = full(logits, precision)
    check_logits(logits, labels)
    loss = training_loss(logits, labels, mixture, recipe.label_smoothing)
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
    return loss.detach(), (logits.detach().argmax(-1) == labels).sum(1)


def full(logits: Tensor, precision: Precision) -> Tensor:
    """Return logits of a half precision as float32, since losses are summed there."""
    return logits.float() if precision in ("bf16", "fp16") else logits


def augmented_features(state: State, labels: Tensor) -> contextlib.AbstractContextManager[None]:
    """Within the block the features before the last linear layer are augmented, if the recipe says so."""
    if state.augmenter is None or not state.augmenter.changes_features:
        return contextlib.nullcontext()
    return state.augmenter.in_features(state.ensemble.module, labels)


def training_loss(logits: Tensor, labels: Tensor, mixture: Mixture | None, smoothing: float) -> Tensor:
    """Loss of each network (S,): of mixed images the weighted sum over both labels."""
    if mixture is None:
        return batch_loss(logits, labels, smoothing)
    own, other = (sample_losses(logits, one, smoothing) for one in (labels, mixture.labels))
    return (mixture.weight * own + (1 - mixture.weight) * other).mean(1)


def batch_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of each network: logits (S, B, K), labels (S, B) to (S,)."""
    return sample_losses(logits, labels, smoothing).mean(1)


def sample_losses(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of every image: logits (S, B, K), labels (S, B) to (S, B)."""
    losses = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=smoothing
    )
    return losses.view(labels.shape)


def check_logits(logits: Tensor, labels: Tensor) -> None:
    """Refuse a model whose output is not one row of logits an image."""
    if logits.dim() != 3 or logits.shape[:2] != labels.shape:
        raise UserError(
            f"the model must return logits of shape (N, K), got {tuple(logits.shape[1:])} for {labels.shape[1]} images; "
            "flatten or pool before its last linear layer."
        )


@torch.no_grad()
def validate(state: State, feed: ImageFeed, precision: Precision) -> tuple[Tensor, Tensor]:
    """Return loss and accuracy of every network on a whole split, each (S,), in eval mode."""
    ensemble = state.ensemble
    ensemble.module.eval()
    rows, parts = len(ensemble.seeds), []
    for _, features in feed.parts():
        with autocast(features.device, precision):
            logits = ensemble.forward(features.expand(rows, *features.shape))
        parts.append(full(logits, precision))
    logits = torch.cat(parts, dim=1)
    labels = feed.labels.expand(rows, -1)
    return batch_loss(logits, labels).double(), (logits.argmax(-1) == labels).double().mean(1)
