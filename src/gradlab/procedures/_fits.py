"""What every training tells of itself, whatever it trained on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.kinds import Column
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset
    from gradlab.training.fit import Epoch, Fit
    from gradlab.training.recipe import Recipe

CHECKPOINT_SECONDS = 5.0
FRACTION: dict[str, Any] = {"unit": "fraction", "range": (0.0, 1.0)}
EPOCHS = {
    "train_accuracy": Column("train accuracy", **FRACTION),
    "validation_accuracy": Column("validation accuracy", **FRACTION),
}


def progress_of(epoch: Epoch) -> Progress:
    """Return an epoch as progress of its unit."""
    rows = tuple(
        (seed, epoch.epoch, {name: value for name, value in row.items() if name != "epoch"})
        for seed, row in zip(epoch.seeds, epoch.metrics, strict=True)
    )
    share, before = epoch.epoch / epoch.epochs, (epoch.epoch - 1) / epoch.epochs
    return Progress(share, describe_epoch(epoch), rows, given=before)


def describe_epoch(epoch: Epoch) -> str:
    """Say an epoch of a block in one line: means over its seeds, and the rate."""
    parts = []
    for name, short in (
        ("train_loss", "loss"),
        ("validation_loss", "val loss"),
        ("validation_accuracy", "val acc"),
        ("validation_robust_accuracy", "robust"),
    ):
        values = [row[name] for row in epoch.metrics if row.get(name) is not None]
        if values:
            parts.append(f"{short} {sum(values) / len(values):.3f}")
    parts.append(f"{epoch.images_per_second:,.0f} samples/s")
    parts += [epoch.note] if epoch.note else []
    return f"{epoch.epoch}/{epoch.epochs} epochs · " + " · ".join(parts)


def facts_of(fit: Fit, recipe: Recipe, start: str) -> dict[str, Any]:
    """Return how a training went."""
    return {
        "status": fit.status,
        "note": fit.note,
        "best_epoch": fit.best_epoch,
        "epochs": fit.epochs,
        "max_epochs": recipe.epochs,
        "parameters": sum(one.numel() for one in fit.model.parameters() if one.requires_grad),
        "start": start,
    }


def network_facts(network: nn.Module, data: Dataset) -> dict[str, Any]:
    """Return what rebuilds a network of gradlab's builders, but for its weights; `network` is None of any other."""
    from pydantic import TypeAdapter

    from gradlab.models.registry import Model

    config: Any = getattr(network, "config", None)
    known = getattr(network, "normalise", None)
    is_own = hasattr(config, "build") and known is not None
    mean, std = list(data.mean), list(data.std)
    if is_own:
        scale, shift = (getattr(known, name).double().flatten() for name in ("scale", "shift"))
        mean, std = (-shift / scale).tolist(), (1 / scale).tolist()
    return {
        "network": TypeAdapter(Model).dump_python(config, mode="json") if is_own else None,
        "input_shape": list(data.input_shape),
        "mean": mean,
        "std": std,
    }


def epochs_of(fit: Fit) -> Columns:
    """Return the epoch log as a table."""
    names = list(fit.history[0]) if fit.history else ["epoch"]
    return {
        name: np.array([row[name] for row in fit.history], dtype=np.int32 if name == "epoch" else np.float64)
        for name in names
    }


def weights_of(fit: Fit) -> dict[str, Any]:
    """Return the kept weights, and those of the snapshots as `epoch-N/name`."""
    kept = {name: value.detach().cpu().contiguous() for name, value in fit.model.state_dict().items()}
    return kept | {
        f"epoch-{epoch}/{name}": value.contiguous()
        for epoch, state in fit.snapshots.items()
        for name, value in state.items()
    }


def start_digest(network: nn.Module) -> str:
    """Return a digest of all trained numbers in their order, whatever they are called."""
    found = hashlib.sha256()
    for parameter in network.parameters():
        if parameter.requires_grad:
            found.update(np.ascontiguousarray(parameter.detach().cpu().double().numpy()).tobytes())
    return found.hexdigest()[:16]
