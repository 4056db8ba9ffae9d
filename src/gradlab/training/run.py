"""The course of one training: epochs, stops, best weights, divergence, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from gradlab.data import Split
from gradlab.training.augment import build_augmenter
from gradlab.training.divergence import find_divergence
from gradlab.training.ensemble import Ensemble
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import State, steps_per_epoch, train_epoch, validate
from gradlab.training.optimizer import build_optimizer, keep_rows, load_optimizer_state, optimizer_state
from gradlab.training.probes_fit import FitProbes
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.resume import fingerprint, resume, save
from gradlab.training.stopping import best_epoch, should_stop

if TYPE_CHECKING:
    from gradlab.training.fit import Epoch

Weights = tuple[Tensor, list[Tensor]]
Start = tuple[Tensor, list[Tensor], dict[str, Tensor], Tensor | None, dict[str, Any] | None]
"""Parameters, buffers, the optimiser's state, averaged weights and the loss scale at the start of an epoch."""


class Run:
    """Trains an ensemble epoch by epoch; networks that stop or diverge leave it with their best weights kept."""

    def __init__(
        self,
        ensemble: Ensemble,
        recipe: Recipe,
        train: Split,
        validation: Split | None,
        precision: Precision,
        checkpoint: Path | None,
        probes: FitProbes,
        train_images: int | None = None,
    ) -> None:
        self.recipe, self.precision, self.path, self.whole = recipe, precision, checkpoint, ensemble
        dtype = ensemble.flat.dtype
        self.train_images, self.augmenter = train_images, build_augmenter(recipe)
        keep_table = self.augmenter is None or not self.augmenter.changes_images
        self.train = ImageFeed(train, dtype, ensemble.prepare, images=train_images, keep_table=keep_table)
        self.validation = None if validation is None else ImageFeed(validation, dtype, ensemble.prepare)
        count = len(ensemble.seeds)
        self.active = list(range(count))
        self.histories: list[list[dict[str, float]]] = [[] for _ in range(count)]
        self.notes: list[str | None] = [None] * count
        self.kept: list[Weights] = [ensemble.rows([index]) for index in range(count)]
        self.seconds = 0.0
        self.state = self.start(ensemble)
        self.probes = probes
        self.fingerprint = ""
        if checkpoint is not None:
            self.fingerprint = fingerprint(ensemble, recipe, precision, train, validation, train_images)
            if checkpoint.exists():
                resume(self, checkpoint)

    def epochs(self, pause_after: int | None, checkpoint_seconds: float) -> Iterator[Epoch]:
        """Train until every network has stopped, yielding after each epoch."""
        from gradlab.training.fit import Epoch

        written = time.monotonic()
        if self.state.epoch == 0 and 0 in self.probes.steps:
            self.probes.record(self.state.ensemble, self.active, 0)
        last = self.recipe.epochs if pause_after is None else min(self.recipe.epochs, pause_after)
        while self.active and self.state.epoch < last:
            begun = time.perf_counter()
            seeds = tuple(self.state.ensemble.seeds)
            trained = list(self.active)
            self._epoch()
            spent = time.perf_counter() - begun
            self.seconds += spent
            finished = not self.active or self.state.epoch == last
            if self.path is not None and (finished or time.monotonic() - written >= checkpoint_seconds):
                save(self, self.path)
                written = time.monotonic()
            yield Epoch(
                epoch=self.state.epoch,
                epochs=self.recipe.epochs,
                seeds=seeds,
                metrics=tuple(self.histories[index][-1] for index in trained),
                images_per_second=len(seeds) * len(self.train) / spent,
                seconds_left=(self.recipe.epochs - self.state.epoch) * spent if self.active else 0.0,
            )

    def model(self, index: int) -> nn.Module:
        """Return network `index` with the weights that the recipe keeps."""
        flat, buffers = self.kept[index]
        solo = self.whole.keep([index])
        solo.load(flat, buffers)
        return solo.extract(0)

    def kept_epoch(self, index: int) -> int:
        """Return the epoch whose weights are kept; 0 is the start."""
        history = self.histories[index]
        if self.recipe.keep == "last":
            return len(history) if self.notes[index] is None else len(history) - 1
        losses = [row.get("validation_loss", row["train_loss"]) for row in history]
        return best_epoch(losses) or 0

    def status(self, index: int) -> Literal["finished", "stopped", "diverged", "paused"]:
        """Say how network `index` ended."""
        if self.notes[index] is not None:
            return "diverged"
        if len(self.histories[index]) >= self.recipe.epochs:
            return "finished"
        return "paused" if index in self.active else "stopped"

    def start(self, ensemble: Ensemble) -> State:
        """Return the state before the first epoch."""
        average = ensemble.flat.detach().clone() if self.recipe.ema is not None else None
        scaler = torch.amp.GradScaler(ensemble.flat.device.type) if self.precision == "fp16" else None
        optimizer = build_optimizer(self.recipe, ensemble.flat)
        return State(ensemble, optimizer, average, scaler, self.augmenter)

    def _epoch(self) -> None:
        state = self.state
        start = (
            *state.ensemble.rows(range(len(self.active))),
            optimizer_state(state.optimizer),
            None if state.average is None else state.average.clone(),
            None if state.scaler is None else state.scaler.state_dict(),
        )
        steps = steps_per_epoch(self.recipe, len(self.train))
        self.probes.expect(state.ensemble, state.epoch * steps, steps)
        state.epoch += 1

        def after_step(step: int) -> None:
            self.probes.after_step(state.ensemble, self.active, step, steps)

        loss, accuracy = train_epoch(state, self.recipe, self.train, self.precision, after_step)
        rows = [
            {"epoch": state.epoch, "train_loss": a, "train_accuracy": b} for a, b in _pairs(loss, accuracy)
        ]
        rate = state.optimizer.param_groups[0]["lr"]
        if self.validation is not None:
            with _averaged(state):
                pairs = _pairs(*validate(state, self.validation, self.precision))
            for row, (a, b) in zip(rows, pairs, strict=True):
                row |= {"validation_loss": a, "validation_accuracy": b}
        finite = torch.isfinite(state.ensemble.flat.detach()).all(dim=1).tolist()
        leaving = []
        for position, index in enumerate(self.active):
            row = rows[position] | {"learning_rate": rate}
            broken = not finite[position] or not self._is_finite(row)
            if broken:
                self.notes[index] = self._locate(position, start)
                row = {name: value if math.isfinite(value) else math.nan for name, value in row.items()}
            self.histories[index].append(row)
            if not broken and self._improved(index):
                self.kept[index] = self._rows(position)
            if self.notes[index] is not None or self._stops(index):
                leaving.append(position)
        ending = range(len(self.active)) if state.epoch == self.recipe.epochs else leaving
        if ending:
            self.probes.record(
                state.ensemble, self.active, state.epoch * steps, [self.active[p] for p in ending]
            )
        if leaving:
            self._shrink(leaving)

    def _is_finite(self, row: dict[str, float]) -> bool:
        """Whether training may go on; fp16 skips a step whose scaled loss overflows, which is no divergence."""
        skipped = ("train_loss",) if self.precision == "fp16" else ()
        return all(math.isfinite(value) for name, value in row.items() if name not in skipped)

    def _improved(self, index: int) -> bool:
        return self.recipe.keep == "last" or self.kept_epoch(index) == len(self.histories[index])

    def _rows(self, position: int) -> Weights:
        flat, buffers = self.state.ensemble.rows([position])
        return (flat if self.state.average is None else self.state.average[[position]].clone()), buffers

    def _stops(self, index: int) -> bool:
        losses = [row.get("validation_loss", math.nan) for row in self.histories[index]]
        return should_stop(self.recipe.stopping, losses)

    def _shrink(self, leaving: list[int]) -> None:
        stay = [position for position in range(len(self.active)) if position not in leaving]
        self.active = [self.active[position] for position in stay]
        if not stay:
            return
        state = self.state
        ensemble = state.ensemble.keep(stay)
        optimizer = keep_rows(state.optimizer, self.recipe, ensemble.flat, stay)
        average = None if state.average is None else state.average[stay].clone()
        self.state = State(ensemble, optimizer, average, state.scaler, self.augmenter, state.epoch)

    def _locate(self, position: int, start: Start) -> str:
        flat, buffers, optimizer, average, scale = start
        solo = self.state.ensemble.keep([position])
        rows = buffers if len(self.state.ensemble.seeds) == 1 else [buffer[[position]] for buffer in buffers]
        solo.load(flat[[position]], rows)
        state = self.start(solo)
        state.epoch = self.state.epoch
        if state.scaler is not None and scale is not None:
            state.scaler.load_state_dict(scale)
        mine = {name: value[[position]] if value.dim() == 2 else value for name, value in optimizer.items()}
        load_optimizer_state(state.optimizer, mine)
        state.average = None if average is None else average[[position]]
        return find_divergence(state, self.recipe, self.train, self.validation, self.precision)


class _averaged:  # noqa: N801 - used as a with-block
    """Within the block the ensemble has its averaged weights."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.saved: Tensor | None = None

    def __enter__(self) -> None:
        if self.state.average is not None:
            self.saved = self.state.ensemble.flat.detach().clone()
            self.state.ensemble.flat.data.copy_(self.state.average)

    def __exit__(self, *_: object) -> None:
        if self.saved is not None:
            self.state.ensemble.flat.data.copy_(self.saved)


def _pairs(first: Tensor, second: Tensor) -> list[tuple[float, float]]:
    return list(zip(first.tolist(), second.tolist(), strict=True))
