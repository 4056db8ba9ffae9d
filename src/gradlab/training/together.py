"""What keeps the processes of one training together: one start, one checkpoint, one network, and what they cannot do."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.training.feed import Feed
from gradlab.training.frozen import bytes_of
from gradlab.training.loop import State
from gradlab.training.objective import CrossEntropy, Objective
from gradlab.training.ranks import Ranks
from gradlab.training.recipe import Recipe
from gradlab.training.resume import resume
from gradlab.training.trainee import weights_of
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.run import Run


def check_divides(ranks: Ranks, recipe: Recipe, objective: Objective, train: Feed, *, probes: bool) -> None:
    """Refuse what several processes cannot train as one would.

    Raises:
        UserError: a batch with fewer samples than processes, or what needs the outputs or the draws of a whole batch.
    """
    if ranks.size == 1:
        return
    alone = f"or train in one process instead of {ranks.size}"
    smallest = len(train) % recipe.batch_size or recipe.batch_size
    if min(smallest, recipe.batch_size) < ranks.size:
        raise UserError(
            f"{len(train):,} samples in batches of {recipe.batch_size} leave a batch of {smallest}, fewer than the {ranks.size} "
            "processes; choose another batch size."
        )
    if type(objective) is not CrossEntropy:
        raise UserError(
            f"several processes train with the cross-entropy, got {type(objective).__name__}, whose draws or pairs belong to a "
            f"whole batch; leave it out, {alone}."
        )
    if recipe.feature_augmentation is not None:
        raise UserError(
            f"feature augmentation combines features of a whole batch, of which each process has a part; drop it, {alone}."
        )
    if probes:
        raise UserError(f"probes look into a network that trains in one process; drop probe_steps, {alone}.")


def begin_together(run: Run) -> None:
    """Compare what the processes were started with, and put them all where the checkpoint of process 0 was written.

    Raises:
        UserError: they train different things, or the checkpoint is refused; all processes say so.
    """
    course, ranks = run.course, run.course.ranks
    started = ranks.gather((run.fingerprint, course.recipe.epochs))
    other = next((number for number, one in enumerate(started) if one != started[0]), None)
    if other is not None:
        raise UserError(
            f"process {other} was started with another model, data, recipe or seed than process 0; give all the same, and "
            "build the model from a seed."
        )
    refused, raw = _read_by_first(run) if ranks.is_first else (None, None)
    refused, raw = ranks.from_first((refused, raw))
    if refused is not None:
        raise UserError(refused)
    if raw is not None and not ranks.is_first:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "checkpoint"
            copy.write_bytes(raw)
            resume(run, copy)


def _read_by_first(run: Run) -> tuple[str | None, bytes | None]:
    """Resume process 0; returns why not, or the checkpoint for the others."""
    path = run.course.checkpoint
    if path is None or not path.exists():
        return None, None
    try:
        resume(run, path)
    except UserError as error:
        return str(error), None
    return None, path.read_bytes() if run.state.epoch else None


def check_alike(state: State) -> None:
    """Refuse to go on where the networks of the processes are not the same bits after an epoch.

    Raises:
        UserError: they came apart; all processes say so.
    """
    if state.ranks.size == 1:
        return
    digest = hashlib.sha256()
    for tensor in (
        *weights_of(state.trainee).tensors,
        *([] if state.average is None else state.average.tensors),
    ):
        digest.update(bytes_of(tensor))
    found = state.ranks.gather(digest.hexdigest())
    other = next((number for number, one in enumerate(found) if one != found[0]), None)
    if other is not None:
        raise UserError(
            f"in epoch {state.epoch} the network of process {other} became another than that of process 0: a layer keeps "
            "statistics of its own part of the batch, or the machines compute differently; train it in one process, or on "
            "machines of one kind."
        )
