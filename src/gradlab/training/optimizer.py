"""PyTorch's optimisers over the one tensor that holds every seed's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradlab.training.recipe import Recipe


def build_optimizer(recipe: Recipe, flat: nn.Parameter) -> torch.optim.Optimizer:
    """Return PyTorch's own fused optimiser for one (S, P) tensor."""
    rate, decay, fused = recipe.learning_rate, recipe.weight_decay, flat.device.type != "mps"
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            [flat],
            lr=rate,
            momentum=recipe.momentum,
            weight_decay=decay,
            nesterov=recipe.nesterov,
            fused=fused,
        )
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind([flat], lr=rate, weight_decay=decay, fused=fused)


def keep_rows(
    optimizer: torch.optim.Optimizer, recipe: Recipe, flat: nn.Parameter, rows: list[int]
) -> torch.optim.Optimizer:
    """Return an optimiser for `flat`, the surviving rows, that goes on with their state."""
    smaller = build_optimizer(recipe, flat)
    (old,) = optimizer.param_groups[0]["params"]
    state = optimizer.state.get(old, {})
    smaller.state[flat] = {
        name: value[rows].clone() if value.dim() == 2 else value.clone()
        for name, value in state.items()
        if value is not None
    }
    return smaller


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return copies of the optimiser's tensors by name."""
    (flat,) = optimizer.param_groups[0]["params"]
    return {
        name: value.detach().clone()
        for name, value in optimizer.state.get(flat, {}).items()
        if value is not None
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, state: dict[str, Tensor]) -> None:
    """Give the optimiser back what `optimizer_state` returned."""
    (flat,) = optimizer.param_groups[0]["params"]
    if state:
        optimizer.state[flat] = {name: value.clone() for name, value in state.items()}


def clip_rows(gradient: Tensor, largest: float) -> None:
    """Scale each row of (S, P) in place so that its L2 norm is at most `largest`."""
    norms = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
    gradient.mul_((largest / (norms + 1e-6)).clamp(max=1.0))
