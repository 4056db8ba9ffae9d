"""How long a training would take, from a few of its steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from torch import nn

from gradlab.data import Dataset, Split
from gradlab.models._randomness import kept_random_state
from gradlab.training.door import open_run
from gradlab.training.feed import Feed
from gradlab.training.loop import (
    set_rate,
    start_epoch,
    steps_per_epoch,
    train_step,
    training_batch,
    validate,
)
from gradlab.training.objective import Objective
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.run import Run

WARM_UP = 5
"""Steps that do not count: caches fill, memory is asked for."""


def time_steps(
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
    steps: int = 15,
) -> float:
    """Return the seconds that `fit_stacked` would train and validate for all epochs of the recipe.

    It is the median of a few steps, times their number, and one validation an epoch. The given modules are left as they
    are, and nothing is written.

    Args:
        steps: at most so many are timed, after a few that are not.
        models: and all else as in `fit_stacked`.

    Raises:
        UserError: whatever `fit` refuses.
    """
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
    )
    recipe = run.course.recipe
    first_epochs = {recipe.size_in(epoch): epoch for epoch in range(recipe.epochs, 0, -1)}
    with kept_random_state(run.device):
        step = {size: _step_seconds(run, steps, epoch) for size, epoch in first_epochs.items()}
        checked = _validation_seconds(run)
    whole = sum(step[recipe.size_in(epoch)] for epoch in range(1, recipe.epochs + 1))
    return steps_per_epoch(recipe, len(run.course.train)) * whole + recipe.epochs * checked


def _step_seconds(run: Run, timed: int, epoch: int) -> float:
    state, course = run.state, run.course
    recipe, size = course.recipe, course.recipe.batch_size
    state.epoch = epoch
    orders = start_epoch(state, recipe, course.train)
    steps = steps_per_epoch(recipe, orders.shape[1])
    seconds = []
    for step in range(min(WARM_UP + timed, steps)):
        begun = time.perf_counter()
        set_rate(state, recipe, step, steps)
        batch = training_batch(state, course.train, orders[:, step * size : (step + 1) * size], step)
        loss, _ = train_step(state, recipe, batch, course.precision, course.objective)
        loss.cpu()  # a GPU works on while Python goes on
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[WARM_UP:] or seconds)


def _validation_seconds(run: Run) -> float:
    course = run.course
    if course.validation is None:
        return 0.0
    begun = time.perf_counter()
    for values in validate(run.state, course.validation, course.precision, course.objective).values():
        values.cpu()
    return time.perf_counter() - begun
