"""A process that times a few steps of every arm: JSON task on stdin, seconds per block on stdout."""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import torch

from gradlab.data import Dataset, load
from gradlab.lab.spec import RunSpec, read_spec
from gradlab.models.mlp import MLP
from gradlab.training.augment import build_augmenter
from gradlab.training.device import DTYPES, resolve_device
from gradlab.training.ensemble import assemble
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import (
    State,
    reseed,
    steps_per_epoch,
    train_step,
    training_batch,
    validate,
)
from gradlab.training.modes import set_training
from gradlab.training.optimizer import build_optimizer

WARM_UP, TIMED = 5, 15


def main() -> None:
    """Answer one task."""
    task: dict[str, Any] = json.load(sys.stdin)
    data = load(task["data"], task["data_dir"])
    answer = {
        name: block_seconds([read_spec(spec) for spec in specs], data)
        for name, specs in task["blocks"].items()
    }
    sys.stdout.write(json.dumps(answer))


def block_seconds(specs: list[RunSpec], data: Dataset) -> float:
    """Seconds that the block would train and validate, from the median of a few steps."""
    spec = specs[0]
    torch.set_num_threads(spec.threads)
    device = resolve_device(spec.device)
    train, validation = (split.to(device) for split in data.trainable())
    networks = [
        one.model.build(data.input_shape, data.num_classes, seed=one.seed, mean=data.mean, std=data.std)
        for one in specs
        if isinstance(one.model, MLP)
    ]
    ensemble = assemble(networks, [one.seed for one in specs], device=device, dtype=DTYPES[spec.precision])
    augmenter = build_augmenter(spec.recipe)
    dtype, keep_table = ensemble.flat.dtype, augmenter is None or not augmenter.changes_images
    feed = ImageFeed(train, dtype, ensemble.prepare, images=spec.train_images, keep_table=keep_table)
    optimizer = build_optimizer(spec.recipe, ensemble.flat)
    state = State(ensemble, optimizer, augmenter=augmenter, epoch=1)
    set_training(ensemble.module)
    reseed(state)
    orders = torch.stack([feed.order(one.seed, 1) for one in specs])
    steps = steps_per_epoch(spec.recipe, len(feed))
    times = []
    for step in range(min(WARM_UP + TIMED, steps)):
        indices = orders[:, step * spec.recipe.batch_size : (step + 1) * spec.recipe.batch_size]
        begun = time.perf_counter()
        labels = train.labels[indices]
        features, mixture = training_batch(state, feed, indices, labels)
        loss, _ = train_step(state, spec.recipe, features, labels, spec.precision, mixture)
        loss.cpu()  # a GPU works on while Python goes on
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    validated, _ = validate(state, ImageFeed(validation, dtype, ensemble.prepare), spec.precision)
    validated.cpu()
    checked = time.perf_counter() - begun
    return spec.recipe.epochs * (steps * statistics.median(times[WARM_UP:] or times) + checked)


if __name__ == "__main__":
    main()
