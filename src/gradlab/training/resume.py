"""Exact resume: what a running training writes to its checkpoint, and how it goes on from there."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradlab.data import Split
from gradlab.training.checkpoint import read_checkpoint, write_checkpoint
from gradlab.training.ensemble import Ensemble
from gradlab.training.loop import steps_per_epoch
from gradlab.training.optimizer import load_optimizer_state, optimizer_state
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.run import Run


def fingerprint(
    ensemble: Ensemble,
    recipe: Recipe,
    precision: Precision,
    train: Split,
    validation: Split | None,
    train_images: int | None = None,
) -> str:
    """Return the identity of a training: whatever its bits depend on, but not how many epochs of a constant rate."""
    knobs = asdict(recipe)
    if recipe.schedule is None:
        knobs.pop("epochs")
    network = ensemble.templates[0]
    text = re.sub(r" at 0x[0-9a-f]+", "", f"{network!r} {getattr(network, 'config', '')}")
    facts = [knobs, ensemble.seeds, precision, ensemble.names, text, train_images]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    tensors: list[Tensor] = list(ensemble.module.state_dict().values())
    for split in (train, validation):
        if split is not None and split.origin.digest:
            digest.update(split.origin.digest.encode())
        elif split is not None:
            tensors += [split.images, split.labels]
    for tensor in tensors:
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


def save(run: Run, path: Path) -> None:
    """Write the state after an epoch."""
    state = run.state
    flat, buffers = state.ensemble.rows(range(len(state.ensemble.seeds)))
    tensors = {"flat": flat} | _numbered("buffer", buffers)
    tensors |= {f"optimizer.{name}": value for name, value in optimizer_state(state.optimizer).items()}
    if state.average is not None:
        tensors["average"] = state.average
    for index, (row, kept) in enumerate(run.kept):
        tensors |= {f"kept.{index}.flat": row} | _numbered(f"kept.{index}", kept)
    facts: dict[str, Any] = {
        "fingerprint": run.fingerprint,
        "epoch": state.epoch,
        "active": run.active,
        "stack": state.ensemble.seeds,
        "histories": run.histories,
        "notes": run.notes,
        "seconds": run.seconds,
        "probes": run.probes.facts(),
        "scaler": None if state.scaler is None else state.scaler.state_dict(),
    }
    write_checkpoint(path, {name: tensor.clone() for name, tensor in tensors.items()}, facts)


def resume(run: Run, path: Path) -> None:
    """Put a fresh run where the checkpoint was written.

    Raises:
        UserError: the file is damaged, of another training, or further than the recipe goes.
    """
    tensors, facts = read_checkpoint(path, run.whole.flat.device)
    if facts.get("fingerprint") != run.fingerprint:
        raise UserError(
            f"{path} belongs to another training (other model, data, recipe or seed); "
            "delete it or give another checkpoint path."
        )
    if facts["epoch"] > run.recipe.epochs:
        raise UserError(
            f"{path} is after epoch {facts['epoch']} already, but the recipe ends at {run.recipe.epochs}; "
            "ask for at least as many epochs or give another checkpoint path."
        )
    run.active, run.histories = facts["active"], facts["histories"]
    run.notes, run.seconds = facts["notes"], facts["seconds"]
    steps = facts["epoch"] * steps_per_epoch(run.recipe, len(run.train))
    run.probes.restore(facts.get("probes"), steps, run.active)
    count = len(run.whole.buffers)
    run.kept = [
        (tensors[f"kept.{index}.flat"], [tensors[f"kept.{index}.{i}"] for i in range(count)])
        for index in range(len(run.histories))
    ]
    in_stack = [run.whole.seeds.index(seed) for seed in facts["stack"]]
    ensemble = run.whole if len(in_stack) == len(run.whole.seeds) else run.whole.keep(in_stack)
    ensemble.load(tensors["flat"], [tensors[f"buffer.{i}"] for i in range(count)])
    run.state = run.start(ensemble)
    run.state.epoch, run.state.average = facts["epoch"], tensors.get("average")
    prefix = "optimizer."
    mine = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    load_optimizer_state(run.state.optimizer, mine)
    if run.state.scaler is not None:
        run.state.scaler.load_state_dict(facts["scaler"])


def _numbered(prefix: str, tensors: list[Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{number}": tensor for number, tensor in enumerate(tensors)}
