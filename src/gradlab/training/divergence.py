"""Where NaN or infinity began: the epoch is played again from its start, watching every layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.training.feed import Feed
from gradlab.training.forward import TrainingForward
from gradlab.training.loop import (
    State,
    set_gradient,
    set_rate,
    start_epoch,
    steps_per_epoch,
    train_step,
    training_batch,
    validation_batch,
)
from gradlab.training.objective import Batch, Objective
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.trainee import weights_of


def find_divergence(
    state: State,
    recipe: Recipe,
    train: Feed,
    validation: Feed | None,
    precision: Precision,
    objective: Objective,
) -> str:
    """Say in words where the single network of `state`, set to an epoch's start, first leaves the finite numbers.

    Args:
        state: of one network at the start of the epoch in which it diverged; consumed.
    """
    trainee, steps = state.trainee, steps_per_epoch(recipe, len(train))
    orders = start_epoch(state, recipe, train)
    for step in range(steps):
        indices = orders[:, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        batch = training_batch(state, train, indices, (state.epoch - 1) * steps + step)
        before = weights_of(trainee).clone()
        set_rate(state, recipe, step, steps)
        found: list[str] = []
        with _watch(trainee.module, found):
            loss, _ = train_step(state, recipe, batch, precision, objective)
        if not (torch.isfinite(loss).all() and all(weights_of(trainee).finite_rows())):
            where = f"epoch {state.epoch}, step {step + 1} of {steps}"
            if found:
                return f"{where}: the output of {found[0]} is not finite"
            if not torch.isfinite(loss).all():
                return f"{where}: the loss is not finite while every layer's output is"
            with torch.no_grad():
                weights_of(trainee).copy_(before)
            return f"{where}: {_in_gradient(state, batch, precision, objective)}"
    place = None if validation is None else _in_validation(state, validation, precision, objective)
    return f"epoch {state.epoch}: {place or 'played again alone, it stays finite'}"


@torch.no_grad()
def _in_validation(state: State, validation: Feed, precision: Precision, objective: Objective) -> str | None:
    trainee = state.trainee
    if state.average is not None:
        weights_of(trainee).copy_(state.average)
    trainee.module.eval()
    for number, (indices, inputs) in enumerate(validation.parts()):
        found: list[str] = []
        batch = validation_batch(trainee, validation, indices, inputs, number)
        forward = TrainingForward(state, precision, batch.labels, prepare=objective.changes_inputs)
        with _watch(trainee.module, found):
            measured = objective.validate(forward, batch)
        if found:
            return f"only on validation images, where the output of {found[0]} is not finite"
        if not torch.isfinite(measured["loss"]).all():
            return "only on validation images, where the loss is not finite while every layer's output is"
    return None


def _in_gradient(state: State, batch: Batch, precision: Precision, objective: Objective) -> str:
    set_gradient(state, batch, precision, objective)
    trained = state.trainee.trained
    gradients = trained.views([flat.grad for flat in trained.flats if flat.grad is not None])
    bad = [
        name
        for name, gradient in zip(trained.names, gradients.values(), strict=True)
        if not torch.isfinite(gradient).all()
    ]
    if bad:
        return f"the gradient of {bad[-1]} is not finite"
    return "the optimiser's step is not finite while loss and gradients are"


@contextlib.contextmanager
def _watch(module: nn.Module, found: list[str]) -> Iterator[None]:
    """Append the name of every layer whose output is not finite, in the order in which they end.

    The layers inside a module end before it does, so that the first name is the innermost.
    """
    handles = []
    for name, layer in module.named_modules():

        def hook(_module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
            if not all(torch.isfinite(tensor).all() for tensor in _tensors(output)):
                found.append(name or "the model")

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
