"""PyTorch's optimisers over the flat tensors that hold every seed's weights."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.training.groups import Group
from gradlab.training.muon import Cut, Muon
from gradlab.training.recipe import Recipe
from gradlab.training.trainee import Trainee


def build_optimizer(recipe: Recipe, trainee: Trainee) -> torch.optim.Optimizer:
    """Return PyTorch's own fused optimiser, or Muon, for the (S, P) tensors of a trainee, one group of parameters each."""
    groups = [
        _group_of(recipe, number) | {"params": [flat]}
        for flat, number in zip(trainee.trained.flats, trainee.used_groups, strict=True)
    ]
    if recipe.optimizer == "muon":
        return Muon([one | _cuts_of(recipe, trainee, place) for place, one in enumerate(groups)])
    fused = trainee.trained.flats[0].device.type != "mps"
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            groups,
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            fused=fused,
        )
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate, fused=fused)


def take_step(optimizer: torch.optim.Optimizer) -> None:
    """Take a step without what PyTorch wraps it in for its compiler, whose import takes seconds, and for hooks."""
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)


def set_rates(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of this step; every group multiplies it by its own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def _group_of(recipe: Recipe, number: int) -> dict[str, float]:
    own = recipe.groups[number] if number < len(recipe.groups) else Group()
    decay = recipe.weight_decay if own.decay is None else own.decay
    return {"lr": recipe.learning_rate * own.rate, "factor": own.rate, "weight_decay": decay}


def _cuts_of(recipe: Recipe, trainee: Trainee, place: int) -> dict[str, Any]:
    """Divide the parameters of one flat tensor between Muon and AdamW."""
    trained, number = trainee.trained, trainee.used_groups[place]
    by_adamw = number < len(recipe.groups) and recipe.groups[number].optimizer == "adamw"
    found: dict[str, Any] = {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    found["half"] = recipe.orthogonalise == "bf16"
    matrices: list[Cut] = []
    others: list[Cut] = []
    start = 0
    for member in trained.members[place]:
        parameter, axes = trained.parameters[member], trained.axes[member]
        stop = start + parameter.numel() // trained.flats[place].shape[0]
        is_matrix = axes >= 2 and not by_adamw
        rows = parameter.shape[1 if trainee.stacked else 0] if is_matrix else 1
        (matrices if is_matrix else others).append(Cut(start, stop, rows, trainee.stacked and is_matrix))
        start = stop
    return found | {"matrices": tuple(matrices), "others": tuple(others)}


def keep_rows(
    optimizer: torch.optim.Optimizer, recipe: Recipe, trainee: Trainee, rows: Sequence[int]
) -> torch.optim.Optimizer:
    """Return an optimiser for `trainee`, the surviving rows, that goes on with copies of their state."""
    smaller = build_optimizer(recipe, trainee)
    load_optimizer_state(smaller, state_rows(optimizer_state(optimizer), rows))
    return smaller


def state_rows(state: dict[str, Tensor], rows: Sequence[int]) -> dict[str, Tensor]:
    """Copy the rows of some networks out of an optimiser's state."""
    return {name: value[list(rows)] if value.dim() == 2 else value.clone() for name, value in state.items()}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's tensors by name, "0.exp_avg" for the first group; not copies of them."""
    return {
        f"{number}.{name}": value.detach()
        for number, group in enumerate(optimizer.param_groups)
        for flat in group["params"]
        for name, value in optimizer.state.get(flat, {}).items()
        if value is not None
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, state: dict[str, Tensor]) -> None:
    """Give the optimiser back what `optimizer_state` returned; the tensors are its own from now on."""
    for number, group in enumerate(optimizer.param_groups):
        (flat,) = group["params"]
        prefix = f"{number}."
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        if own:
            optimizer.state[flat] = own


def clip_rows(gradients: Sequence[Tensor], largest: float) -> None:
    """Scale each row of (S, P) tensors in place so that its L2 norm over all of them is at most `largest`."""
    norms = [torch.linalg.vector_norm(gradient, dim=1, keepdim=True) for gradient in gradients]
    whole = norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms), dim=0)
    for gradient in gradients:
        gradient.mul_((largest / (whole + 1e-6)).clamp(max=1.0))
