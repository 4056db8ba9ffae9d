"""Where NaN or infinity began: the epoch is played again from its start, watching every layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.training.augment import Mixture
from gradlab.training.device import autocast
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import (
    State,
    augmented_features,
    batch_loss,
    full,
    reseed,
    set_rate,
    steps_per_epoch,
    train_step,
    training_batch,
    training_loss,
)
from gradlab.training.modes import set_training
from gradlab.training.recipe import Precision, Recipe


def find_divergence(
    state: State, recipe: Recipe, train: ImageFeed, validation: ImageFeed | None, precision: Precision
) -> str:
    """Say in words where the single network of `state`, set to an epoch's start, first leaves the finite numbers.

    Args:
        state: an ensemble of one at the start of the epoch in which it diverged; consumed.
    """
    ensemble, steps = state.ensemble, steps_per_epoch(recipe, len(train))
    indices = train.order(ensemble.seeds[0], state.epoch)
    set_training(ensemble.module)
    reseed(state)
    for step in range(steps):
        batch = indices[None, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        labels = train.labels[batch]
        features, mixture = training_batch(state, train, batch, labels)
        before, buffers = ensemble.rows([0])
        set_rate(state, recipe, step, steps)
        found: list[str] = []
        with _watch(ensemble.module, found):
            loss, _ = train_step(state, recipe, features, labels, precision, mixture)
        if not (torch.isfinite(loss).all() and torch.isfinite(ensemble.flat).all()):
            where = f"epoch {state.epoch}, step {step + 1} of {steps}"
            if found:
                return f"{where}: the output of {found[0]} is not finite"
            if not torch.isfinite(loss).all():
                return f"{where}: the loss is not finite while every layer's output is"
            ensemble.load(before, buffers)
            return f"{where}: {_in_gradient(state, recipe, features, labels, precision, mixture)}"
    place = None if validation is None else _in_validation(state, validation, precision)
    return f"epoch {state.epoch}: {place or 'played again alone, it stays finite'}"


@torch.no_grad()
def _in_validation(state: State, validation: ImageFeed, precision: Precision) -> str | None:
    ensemble = state.ensemble
    if state.average is not None:
        ensemble.flat.data.copy_(state.average)
    ensemble.module.eval()
    for indices, features in validation.parts():
        labels = validation.labels[indices]
        found: list[str] = []
        with _watch(ensemble.module, found), autocast(features.device, precision):
            logits = ensemble.forward(features[None])
        if found:
            return f"only on validation images, where the output of {found[0]} is not finite"
        if not torch.isfinite(batch_loss(full(logits, precision), labels[None])).all():
            return "only on validation images, where the loss is not finite while every layer's output is"
    return None


def _in_gradient(
    state: State,
    recipe: Recipe,
    features: Tensor,
    labels: Tensor,
    precision: Precision,
    mixture: Mixture | None,
) -> str:
    with autocast(features.device, precision), augmented_features(state, labels):
        logits = state.ensemble.forward(features)
    loss = training_loss(full(logits, precision), labels, mixture, recipe.label_smoothing)
    state.ensemble.set_gradient(loss.sum())
    rows = _by_name(state, state.ensemble.flat.grad)
    bad = [name for name, gradient in rows if not torch.isfinite(gradient).all()]
    if bad:
        return f"the gradient of {bad[-1]} is not finite"
    return "the optimiser's step is not finite while loss and gradients are"


def _by_name(state: State, row: Tensor | None) -> list[tuple[str, Tensor]]:
    sizes = [parameter.numel() for parameter in state.ensemble.parameters]
    parts = torch.split(torch.empty(0) if row is None else row.flatten(), sizes)
    return list(zip(state.ensemble.names, parts, strict=True))


@contextlib.contextmanager
def _watch(module: nn.Module, found: list[str]) -> Iterator[None]:
    """Append the name of every layer whose output is not finite, in the order in which they end.

    The layers inside a module end before it does, so that the first name is the innermost.
    """
    handles = []
    for name, layer in module.named_modules():

        def hook(_module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
            if not all(torch.isfinite(tensor).all() for tensor in _tensors(output)):
                found.append(name.removeprefix("module.") if name not in ("", "module") else "the model")

        handles.append(layer.register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    return [one for part in output for one in _tensors(part)] if isinstance(output, list | tuple) else []
