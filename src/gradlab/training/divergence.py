"""Where NaN or infinity began: the epoch is played again from its start, watching every layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.data import Split, gather, order
from gradlab.training.device import DTYPES, autocast
from gradlab.training.loop import State, batch_loss, set_rate, steps_per_epoch, train_step
from gradlab.training.recipe import Precision, Recipe


def find_divergence(state: State, recipe: Recipe, train: Split, precision: Precision) -> str:
    """Say in words where the single network of `state`, set to an epoch's start, first leaves the finite numbers.

    Args:
        state: an ensemble of one at the start of the epoch in which it diverged; consumed.
    """
    steps = steps_per_epoch(recipe, len(train))
    indices = order(len(train), seed=state.ensemble.seeds[0], epoch=state.epoch).to(train.labels.device)
    state.ensemble.module.train()
    state.ensemble.reseed(state.epoch)
    for step in range(steps):
        batch = indices[None, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        before, buffers = state.ensemble.rows([0])
        set_rate(state, recipe, step, steps)
        loss, _ = train_step(state, recipe, train, batch, precision)
        if not (torch.isfinite(loss).all() and torch.isfinite(state.ensemble.flat).all()):
            state.ensemble.load(before, buffers)
            place = _place(state, train, batch, precision)
            return f"epoch {state.epoch}, step {step + 1} of {steps}: {place}"
    return f"epoch {state.epoch}: only in the validation loss"


def _place(state: State, train: Split, batch: Tensor, precision: Precision) -> str:
    images, labels = gather(train, batch, dtype=DTYPES[precision]), train.labels[batch]
    found: list[str] = []
    with _watch(state.ensemble.module, found), autocast(images.device, precision):
        logits = state.ensemble.module(images)
    if found:
        return f"the output of {found[0]} is not finite"
    loss = batch_loss(logits.float(), labels)
    if not torch.isfinite(loss).all():
        return "the loss is not finite while every layer's output is"
    state.ensemble.set_gradient(loss.sum().to(logits.dtype))
    rows = _by_name(state, state.ensemble.flat.grad)
    bad = [name for name, gradient in rows if not torch.isfinite(gradient).all()]
    if bad:
        return f"the gradient of {bad[-1]} is not finite"
    return "the optimiser's step is not finite while loss and gradients are"


def _by_name(state: State, row: Tensor | None) -> list[tuple[str, Tensor]]:
    sizes = [parameter.numel() for parameter in state.ensemble.parameters]
    parts = torch.empty(0).split(0) if row is None else row.flatten().split(sizes)
    return list(zip(state.ensemble.names, parts, strict=True))


@contextlib.contextmanager
def _watch(module: nn.Module, found: list[str]) -> Iterator[None]:
    """Append the name of every leaf whose output is not finite, in the order of execution."""
    handles = []
    for name, layer in module.named_modules():
        if not list(layer.children()):

            def hook(_module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor) and not torch.isfinite(output).all():
                    found.append(name.removeprefix("module."))

            handles.append(layer.register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
