"""The course of one training: epochs, stops, kept weights, divergence, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from gradlab.training.averaged import averaged
from gradlab.training.feed import Feed
from gradlab.training.frozen import check_frozen, frozen_digests
from gradlab.training.kept import Kept
from gradlab.training.loop import Measured, State, steps_per_epoch, train_epoch, validate, work_left
from gradlab.training.number_format import precision_note
from gradlab.training.objective import Objective
from gradlab.training.optimizer import keep_rows
from gradlab.training.probes_fit import FitProbes
from gradlab.training.ranks import ALONE, Ranks
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.replay import Start, locate, start_of_epoch
from gradlab.training.resume import fingerprint, resume, save
from gradlab.training.setup import fresh_state
from gradlab.training.together import begin_together, check_alike
from gradlab.training.trainee import Trainee, weights_of

if TYPE_CHECKING:
    from gradlab.training.fit import Epoch

Status = Literal["finished", "stopped", "diverged", "paused"]


@dataclass(frozen=True)
class Course:
    """What a training is given and does not change.

    Attributes:
        train, validation: on the device. checkpoint: a file. train_images: as in `fit`, part of the identity.
        ranks: the processes that train together.
    """

    recipe: Recipe
    objective: Objective
    train: Feed
    validation: Feed | None
    precision: Precision
    checkpoint: Path | None = None
    train_images: int | None = None
    ranks: Ranks = ALONE


class Run:
    """Trains networks epoch by epoch; those that stop or diverge leave with their best weights kept."""

    def __init__(self, trainee: Trainee, course: Course, probes: FitProbes) -> None:
        self.course, self.whole, self.probes = course, trainee, probes
        count = len(trainee.seeds)
        self.active = list(range(count))
        self.histories: list[list[dict[str, float]]] = [[] for _ in range(count)]
        self.notes: list[str | None] = [None] * count
        self.kept = Kept(count, course.recipe, course.objective)
        self.seconds = 0.0
        self.state = fresh_state(trainee, course.recipe, course.precision, course.ranks)
        self.frozen = frozen_digests(trainee.module)
        self.fingerprint = ""
        if course.checkpoint is not None or course.ranks.size > 1:
            self.fingerprint = fingerprint(trainee, course)
        if course.ranks.size > 1:
            begin_together(self)
        elif course.checkpoint is not None and course.checkpoint.exists():
            resume(self, course.checkpoint)

    def epochs(self, pause_after: int | None, checkpoint_seconds: float) -> Iterator[Epoch]:
        """Train until every network has stopped, yielding after each epoch."""
        from gradlab.training.fit import Epoch

        epochs, path = self.course.recipe.epochs, self.course.checkpoint
        written = time.monotonic()
        note = precision_note(self.course.precision, self.device)
        if self.state.epoch == 0 and 0 in self.probes.steps:
            self.probes.record(self.state.trainee, self.active, 0)
        last = epochs if pause_after is None else min(epochs, pause_after)
        while self.active and self.state.epoch < last:
            begun, trained = time.perf_counter(), list(self.active)
            seeds = tuple(self.state.trainee.seeds)
            self._epoch()
            spent = time.perf_counter() - begun
            self.seconds += spent
            finished = not self.active or self.state.epoch == last
            if finished:
                check_frozen(self.frozen, self.state.trainee.module)
            if (
                path is not None
                and self.course.ranks.is_first
                and (finished or time.monotonic() - written >= checkpoint_seconds)
            ):
                save(self, path)
                written = time.monotonic()
            yield Epoch(
                epoch=self.state.epoch,
                epochs=epochs,
                seeds=seeds,
                metrics=tuple(self.histories[index][-1] for index in trained),
                images_per_second=len(seeds) * len(self.course.train) / spent,
                seconds_left=work_left(self.course.recipe, self.state.epoch, self.course.train) * spent
                if self.active
                else 0.0,
                note=note,
            )

    @property
    def device(self) -> torch.device:
        """Where it trains."""
        return self.whole.trained.flats[0].device

    def release(self) -> None:
        """Give up what only further epochs would need: gradients, the optimiser's state, the average."""
        self.state.trainee.trained.release()
        self.state.optimizer.state.clear()
        self.state.average = None

    def model(self, index: int) -> nn.Module:
        """Return network `index` with the weights that the recipe keeps."""
        return self.whole.extract(index, self.kept.weights[index])

    def snapshots(self, index: int) -> dict[int, dict[str, Tensor]]:
        """Return the state of network `index` after every epoch that the recipe names, on the CPU."""
        return {
            epoch: {
                name: value.detach().cpu().contiguous().clone()
                for name, value in self.whole.extract(index, weights).state_dict().items()
            }
            for epoch, weights in sorted(self.kept.snapshots[index].items())
        }

    def kept_epoch(self, index: int) -> int:
        """Return the epoch whose weights are kept; 0 is the start."""
        return self.kept.epoch(self.histories[index], diverged=self.notes[index] is not None)

    def status(self, index: int) -> Status:
        """Say how network `index` ended."""
        if self.notes[index] is not None:
            return "diverged"
        if len(self.histories[index]) >= self.course.recipe.epochs:
            return "finished"
        return "paused" if index in self.active else "stopped"

    def _epoch(self) -> None:
        state, course = self.state, self.course
        start = start_of_epoch(state) if course.ranks.size == 1 else None
        steps = steps_per_epoch(course.recipe, len(course.train))
        self.probes.expect(state.trainee, state.epoch * steps, steps)
        state.epoch += 1

        def after_step(step: int) -> None:
            self.probes.after_step(state.trainee, self.active, step, steps)

        measured = train_epoch(
            state, course.recipe, course.train, course.precision, course.objective, after_step
        )
        check_alike(state)
        rows, finite = course.ranks.from_first(
            (self._rows(measured), weights_of(state.trainee).finite_rows())
        )
        leaving = [
            position
            for position, index in enumerate(self.active)
            if self._finish(position, index, rows[position], start, measured, finite=finite[position])
        ]
        ending = range(len(self.active)) if state.epoch == course.recipe.epochs else leaving
        if ending:
            self.probes.record(
                state.trainee, self.active, state.epoch * steps, [self.active[p] for p in ending]
            )
        if leaving:
            self._shrink(leaving)

    def _rows(self, measured: Measured) -> list[dict[str, float]]:
        """The epoch's row of every network; the average, where there is one, is what is validated."""
        state, course = self.state, self.course
        columns = {f"train_{name}": values for name, values in measured.metrics.items()}
        if course.validation is not None:
            with averaged(state):
                validated = validate(state, course.validation, course.precision, course.objective)
            columns |= {f"validation_{name}": values for name, values in validated.items()}
        lists = {name: values.tolist() for name, values in columns.items()}
        return [
            {"epoch": state.epoch}
            | {name: values[position] for name, values in lists.items()}
            | {"learning_rate": state.rate}
            for position in range(len(self.active))
        ]

    def _finish(
        self,
        position: int,
        index: int,
        row: dict[str, float],
        start: Start | None,
        measured: Measured,
        *,
        finite: bool,
    ) -> bool:
        """Write one network's row and keep its weights where they are best; returns whether it leaves."""
        state, course = self.state, self.course
        if not finite or not self._is_finite(row):
            self.notes[index] = locate(
                state,
                start,
                position,
                measured,
                recipe=course.recipe,
                train=course.train,
                validation=course.validation,
                precision=course.precision,
                objective=course.objective,
            )
            row = {name: value if math.isfinite(value) else math.nan for name, value in row.items()}
            self.histories[index].append(row)
            return True
        self.histories[index].append(row)
        weights = weights_of(state.trainee) if state.average is None else state.average
        self.kept.offer(index, self.histories[index], weights.row(position))
        return self.kept.stops(self.histories[index])

    def _is_finite(self, row: dict[str, float]) -> bool:
        """Whether training may go on; fp16 skips a step whose scaled loss overflows, which is no divergence."""
        skipped = ("train_loss",) if self.course.precision == "fp16" else ()
        return all(math.isfinite(value) for name, value in row.items() if name not in skipped)

    def _shrink(self, leaving: list[int]) -> None:
        stay = [position for position in range(len(self.active)) if position not in leaving]
        self.active = [self.active[position] for position in stay]
        if not stay:
            return
        state = self.state
        check_frozen(self.frozen, state.trainee.module)
        trainee = state.trainee.keep(stay)
        optimizer = keep_rows(state.optimizer, self.course.recipe, trainee, stay)
        average = None if state.average is None else state.average.rows(stay)
        self.state = State(
            trainee, optimizer, average, state.scaler, state.augmenter, state.epoch, ranks=state.ranks
        )
        self.frozen = frozen_digests(trainee.module)
