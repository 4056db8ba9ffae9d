"""Exact resume: what a running training writes to its checkpoint, and how it goes on from there."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gradlab.training.checkpoint import (
    Checkpoint,
    DamagedCheckpointError,
    is_marked,
    read_checkpoint,
    write_checkpoint,
)
from gradlab.training.frozen import bytes_of, frozen_digests
from gradlab.training.loop import steps_per_epoch
from gradlab.training.optimizer import load_optimizer_state, optimizer_state
from gradlab.training.setup import fresh_state
from gradlab.training.trainee import Trainee, weights_of
from gradlab.training.weights import Weights
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.run import Course, Run

LOG = logging.getLogger(__name__)


def fingerprint(trainee: Trainee, course: Course) -> str:
    """Return the identity of a training: whatever its bits depend on, but not how many epochs of a constant rate."""
    knobs = asdict(course.recipe)
    if course.recipe.schedule is None:
        knobs.pop("epochs")
    network = trainee.templates[0]
    text, objective = (
        re.sub(r" at 0x[0-9a-f]+", "", one)
        for one in (f"{network!r} {getattr(network, 'config', '')}", repr(course.objective))
    )
    facts = [knobs, trainee.seeds, course.precision, trainee.trained.names, text, objective]
    digest = hashlib.sha256(json.dumps([*facts, course.train_images], sort_keys=True).encode())
    for feed in (course.train, course.validation):
        digest.update(b"none" if feed is None else feed.digest().encode())
    for tensor in trainee.module.state_dict().values():
        if isinstance(tensor, Tensor):
            digest.update(bytes_of(tensor))
    return digest.hexdigest()


def save(run: Run, path: Path) -> None:
    """Write the state after an epoch; nothing is copied."""
    state = run.state
    tensors = _named("now", weights_of(state.trainee))
    tensors |= {f"optimizer.{name}": value for name, value in optimizer_state(state.optimizer).items()}
    if state.average is not None:
        tensors |= _named("average", state.average)
    for index, (kept, snapshots) in enumerate(zip(run.kept.weights, run.kept.snapshots, strict=True)):
        tensors |= {} if kept is None else _named(f"kept.{index}", kept)
        for epoch, weights in snapshots.items():
            tensors |= _named(f"snapshot.{index}.{epoch}", weights)
    facts: dict[str, Any] = {
        "fingerprint": run.fingerprint,
        "epoch": state.epoch,
        "active": run.active,
        "stack": state.trainee.seeds,
        "histories": run.histories,
        "notes": run.notes,
        "seconds": run.seconds,
        "kept": [kept is not None for kept in run.kept.weights],
        "snapshots": [sorted(snapshots) for snapshots in run.kept.snapshots],
        "probes": run.probes.facts(),
        "scaler": None if state.scaler is None else state.scaler.state_dict(),
    }
    write_checkpoint(path, tensors, facts)


def resume(run: Run, path: Path) -> None:
    """Put a fresh run where the checkpoint was written; a damaged one is named, and the run stays fresh.

    Raises:
        UserError: the file is of another kind or another training, or further than the recipe goes.
    """
    try:
        checkpoint = read_checkpoint(path)
    except DamagedCheckpointError as error:
        LOG.warning("%s Training starts afresh%s.", error, _put_aside(path))
        return
    _check(run, path, checkpoint.facts)
    facts = checkpoint.facts
    run.active, run.histories = facts["active"], facts["histories"]
    run.notes, run.seconds = facts["notes"], facts["seconds"]
    steps = facts["epoch"] * steps_per_epoch(run.course.recipe, len(run.course.train))
    going_on = run.active if facts["epoch"] < run.course.recipe.epochs else []
    run.probes.restore(facts.get("probes"), steps, going_on)
    read = _Reader(checkpoint, run.whole)
    for index, (kept, epochs) in enumerate(zip(facts["kept"], facts["snapshots"], strict=True)):
        run.kept.weights[index] = read.weights(f"kept.{index}") if kept else None
        run.kept.snapshots[index] = {epoch: read.weights(f"snapshot.{index}.{epoch}") for epoch in epochs}
    in_stack = [run.whole.seeds.index(seed) for seed in facts["stack"]]
    trainee = run.whole if len(in_stack) == len(run.whole.seeds) else run.whole.keep(in_stack)
    run.frozen = frozen_digests(trainee.module)  # of the networks as they were given
    read.into("now", weights_of(trainee))
    trainee.trained.known_used()
    run.state = fresh_state(trainee, run.course.recipe, run.course.precision, run.course.ranks)
    run.state.epoch = facts["epoch"]
    if run.state.average is not None:
        read.into("average", run.state.average)
    load_optimizer_state(run.state.optimizer, read.starting("optimizer."))
    if run.state.scaler is not None:
        run.state.scaler.load_state_dict(facts["scaler"])


class _Reader:
    """Reads tensors one by one onto the device of a trainee."""

    def __init__(self, checkpoint: Checkpoint, trainee: Trainee) -> None:
        self._checkpoint, self._device = checkpoint, trainee.trained.flats[0].device
        self._flats, self._buffers = len(trainee.trained.flats), len(trainee.buffers)

    def weights(self, name: str) -> Weights:
        flats = [self._read(f"{name}.flat.{number}") for number in range(self._flats)]
        return Weights(flats, [self._read(f"{name}.buffer.{number}") for number in range(self._buffers)])

    @torch.no_grad()
    def into(self, name: str, weights: Weights) -> None:
        for number, flat in enumerate(weights.flats):
            flat.copy_(self._read(f"{name}.flat.{number}"))
        for number, buffer in enumerate(weights.buffers):
            buffer.copy_(self._read(f"{name}.buffer.{number}"))

    def starting(self, prefix: str) -> dict[str, Tensor]:
        names = [name for name in self._checkpoint.names if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._read(name) for name in names}

    def _read(self, name: str) -> Tensor:
        return self._checkpoint.read(name, self._device)


def _check(run: Run, path: Path, facts: dict[str, Any]) -> None:
    """Refuse the checkpoint of another training, or of one that went on for longer."""
    if facts.get("fingerprint") != run.fingerprint:
        raise UserError(
            f"{path} belongs to another training (other model, data, recipe or seed); "
            "delete it or give another checkpoint path."
        )
    if facts["epoch"] > run.course.recipe.epochs:
        raise UserError(
            f"{path} has already reached epoch {facts['epoch']}, but the recipe ends at {run.course.recipe.epochs}; "
            "ask for at least as many epochs or give another checkpoint path."
        )


def _put_aside(path: Path) -> str:
    """Move a file away that may be a person's own; what surely is a checkpoint is overwritten by the next."""
    if is_marked(path):
        return ""
    names = (f"{path.name}.damaged{'' if number == 1 else f'-{number}'}" for number in itertools.count(1))
    aside = next(free for name in names if not os.path.lexists(free := path.with_name(name)))
    os.rename(path, aside)
    return f", and the file is now {aside}"


def _named(name: str, weights: Weights) -> dict[str, Tensor]:
    flats = {f"{name}.flat.{number}": flat for number, flat in enumerate(weights.flats)}
    return flats | {f"{name}.buffer.{number}": buffer for number, buffer in enumerate(weights.buffers)}
