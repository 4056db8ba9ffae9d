"""The door to training: `fit` for one network, `fit_stacked` for the seeds of one configuration together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gradlab.data import Dataset, Split
from gradlab.models._randomness import kept_random_state
from gradlab.training.door import open_run
from gradlab.training.feed import Feed
from gradlab.training.memory import memory_said
from gradlab.training.objective import Objective
from gradlab.training.probe_row import ProbeRow
from gradlab.training.progress import show_progress
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.run import Run, Status
from gradlab.types import UserError


@dataclass(frozen=True)
class Epoch:
    """What listeners hear after every epoch.

    Attributes:
        epoch: from 1. epochs: at most. seeds: those still training.
        metrics: one dictionary a seed: train_loss, train_accuracy, validation_loss, validation_accuracy, learning_rate, and
            what else the objective measures.
        images_per_second: over all seeds. seconds_left: if no seed stops early.
        note: what the number format costs on this machine, where that is not fp32; else empty.
    """

    epoch: int
    epochs: int
    seeds: tuple[int, ...]
    metrics: tuple[dict[str, float], ...]
    images_per_second: float
    seconds_left: float
    note: str = ""


@dataclass(frozen=True)
class Fit:
    """A trained network and how it came about.

    Attributes:
        model: in eval mode, with the weights that the recipe keeps. seed: of the run.
        history: one row an epoch. best_epoch: whose weights the model has; 0 is the initial weights of a run that
            diverged in its first epoch. epochs: how many were trained.
        status: "finished" all epochs, "stopped" early, "diverged", or "paused". note: where it diverged.
        seconds: of training, validation and probes, shared equally among stacked seeds.
        probes: one row a probed step and layer, of the weights in training (not of an average of them).
        snapshots: state dictionaries, on the CPU, after the epochs that the recipe names and the run finished.
    """

    model: nn.Module
    seed: int
    history: list[dict[str, float]]
    best_epoch: int
    epochs: int
    status: Status
    note: str | None
    seconds: float
    probes: list[ProbeRow] = field(default_factory=list)
    snapshots: dict[int, dict[str, Tensor]] = field(default_factory=dict)


Listener = Callable[[Epoch], Any]


def fit(
    model: nn.Module,
    data: Dataset | Split | Feed,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    validation: Split | Feed | None = None,
    device: str = "auto",
    precision: Precision | None = None,
    objective: Objective | None = None,
    train_images: int | None = None,
    checkpoint: str | Path | None = None,
    probe_steps: Sequence[int] = (),
    probe_batch: int = 128,
    pause_after: int | None = None,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> Fit:
    """Train a copy of `model`; the given module is left as it was.

    Started by `torchrun`, or where a process group is initialised, the processes divide every batch: call it in all of them with
    the same arguments, and all return the network that one process would train, but for the rounding of sums. The first of them
    writes the checkpoint, shows the progress and calls the listeners.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K).
        data: trained on its train part, selected on its validation part; or a training split; or a feed, for data that
            are no images (see `gradlab.training.Feed`).
        recipe: how to train; the defaults of `Recipe` if not given.
        seed: of data order, dropout and nothing else: the initial weights are the model's.
        validation: selected on instead of the data's own; needed with a training split or feed as `data`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "fp32", "bf16" (autocast), "fp16" (autocast with loss scaling; not on a CPU) or "fp64"; the recipe's, or
            else fp32, if not given.
        objective: what to minimise; cross-entropy with the recipe's label smoothing if not given.
        train_images: train on so many of the images, drawn for each seed with the class shares of the whole; all if
            not given.
        checkpoint: a file; written after every epoch and resumed from where it exists. On a CPU a resumed run
            equals the uninterrupted one bit for bit. A damaged one is named in a warning, and training starts afresh.
        probe_steps: after which optimiser steps to look into every layer (see `gradlab.training.probe`); 0 is before
            the first; the last step of training is looked at as well. The training stays the same bit for bit.
        probe_batch: images of the fixed training batch on which probes look.
        pause_after: return after this epoch with status "paused"; the checkpoint goes on from there.
        listeners: called with an `Epoch` after every epoch.
        progress: a live line on stderr; by default only on a terminal.

    Raises:
        UserError: test data, a model that does not fit the data, a recipe that needs what is not there, a frozen number
            that changed, or a parameter that should train and gets no gradient.
    """
    return fit_stacked(
        [model],
        data,
        recipe,
        seeds=[seed],
        validation=validation,
        device=device,
        precision=precision,
        objective=objective,
        train_images=train_images,
        checkpoint=checkpoint,
        probe_steps=probe_steps,
        probe_batch=probe_batch,
        pause_after=pause_after,
        listeners=listeners,
        progress=progress,
    )[0]


def fit_stacked(
    models: Sequence[nn.Module],
    data: Dataset | Split | Feed,
    recipe: Recipe | None = None,
    *,
    seeds: Sequence[int],
    validation: Split | Feed | None = None,
    device: str = "auto",
    precision: Precision | None = None,
    objective: Objective | None = None,
    train_images: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 0.0,
    probe_steps: Sequence[int] = (),
    probe_batch: int = 128,
    pause_after: int | None = None,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> list[Fit]:
    """Train networks of one configuration as stacked weights, each with its own seed, data order and stop.

    Arguments as in `fit`; `models` and `seeds` run in parallel, `checkpoint_seconds` is the least time between
    two checkpoints. Every network's result equals its own solo run but for
    the rounding of sums; Adam may let what the loss does not depend on, such as a bias before a batch norm, drift by it.
    """
    if pause_after is not None and pause_after < 1:
        raise UserError(f"pause_after must be an epoch, at least 1, got {pause_after}.")
    run = open_run(
        models,
        data,
        recipe or Recipe(),
        seeds=seeds,
        validation=validation,
        device=device,
        precision=precision,
        objective=objective,
        train_images=train_images,
        checkpoint=Path(checkpoint) if checkpoint else None,
        probe_steps=probe_steps,
        probe_batch=probe_batch,
    )
    within = memory_said(run.course.recipe.batch_size, run.device, run.course.checkpoint)
    is_first = run.course.ranks.is_first
    with (
        within,
        show_progress(progress if is_first else False) as show,
        kept_random_state(run.device),
    ):
        for epoch in run.epochs(pause_after, checkpoint_seconds):
            for listener in (*listeners, show) if is_first else ():
                listener(epoch)
    run.release()
    return [_found(run, index, seed, run.seconds / len(seeds)) for index, seed in enumerate(seeds)]


def _found(run: Run, index: int, seed: int, seconds: float) -> Fit:
    """Return what came of one of the networks that were trained together."""
    return Fit(
        model=run.model(index),
        seed=seed,
        history=run.histories[index],
        best_epoch=run.kept_epoch(index),
        epochs=len(run.histories[index]),
        status=run.status(index),
        note=run.notes[index],
        seconds=seconds,
        probes=run.probes.rows[index],
        snapshots=run.snapshots(index),
    )
