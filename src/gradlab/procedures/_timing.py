"""Seconds that a training would take, from a few timed steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from gradlab.training.augment import build_augmenter
from gradlab.training.device import DTYPES, resolve_device
from gradlab.training.ensemble import assemble
from gradlab.training.feed import Feed
from gradlab.training.loop import State, reseed, steps_per_epoch, train_step, training_batch, validate
from gradlab.training.modes import set_training
from gradlab.training.optimizer import build_optimizer
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.procedures.train import Train

WARM_UP, TIMED = 5, 15
LONGEST = 2.0
"""Seconds after which no further step is timed."""


def block_seconds(procedure: Train, jobs: Sequence[Job], desk: Desk) -> float:
    """Seconds that the jobs would train and validate together, from the median of a few steps."""
    from gradlab.procedures.train import Custom

    if isinstance(procedure.model, Custom):
        raise UserError("a module of your own is timed by a gradlab.training.fit of your own.")
    recipe, data = procedure.recipe, desk.data(procedure.data)
    seeds = [job.seed or 0 for job in jobs]
    train, validation = (split.to(resolve_device(desk.device)) for split in data.trainable())
    shape, mean, std = tuple(data.input_shape), tuple(data.mean), tuple(data.std)
    networks = [
        procedure.model.build(shape, data.num_classes, seed=seed, mean=mean, std=std) for seed in seeds
    ]
    ensemble = assemble(
        networks, seeds, device=resolve_device(desk.device), dtype=DTYPES[desk.precision]  # type: ignore[index]
    )  # fmt: skip
    augmenter = build_augmenter(recipe)
    dtype, keep_table = ensemble.flat.dtype, augmenter is None or not augmenter.changes_images
    feed = Feed(train, dtype, ensemble.prepare, images=procedure.train_images, keep_table=keep_table)
    state = State(ensemble, build_optimizer(recipe, ensemble.flat), augmenter=augmenter, epoch=1)
    set_training(ensemble.module)
    reseed(state)
    step = _step_seconds(state, feed, train.labels, procedure, seeds, desk)
    begun = time.perf_counter()
    validated, _ = validate(state, Feed(validation, dtype, ensemble.prepare), desk.precision)  # type: ignore[arg-type]
    validated.cpu()
    checked = time.perf_counter() - begun
    return recipe.epochs * (steps_per_epoch(recipe, len(feed)) * step + checked)


def _step_seconds(
    state: State, feed: Feed, labels: torch.Tensor, procedure: Train, seeds: list[int], desk: Desk
) -> float:
    """Median of the first few steps of an epoch, those to warm up left out."""
    recipe, times = procedure.recipe, []
    orders = torch.stack([feed.order(seed, 1) for seed in seeds])
    for step in range(min(WARM_UP + TIMED, steps_per_epoch(recipe, len(feed)))):
        indices = orders[:, step * recipe.batch_size : (step + 1) * recipe.batch_size]
        begun = time.perf_counter()
        own = labels[indices]
        features, mixture = training_batch(state, feed, indices, own)
        loss, _ = train_step(state, recipe, features, own, desk.precision, mixture)  # type: ignore[arg-type]
        loss.cpu()  # a GPU works on while Python goes on
        times.append(time.perf_counter() - begun)
        if sum(times) > LONGEST:
            break
    return statistics.median(times[WARM_UP:] or times)
