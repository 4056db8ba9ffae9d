"""What a training is said to take."""

import itertools
import math

from gradlab.models import MLP
from gradlab.training import Recipe, time_steps, timing
from tests.training.examples import CLASSES, SHAPE, blobs

SEEDS = (0, 1)


def test_every_epoch_counts_all_its_steps_and_one_validation(monkeypatch):
    """By a clock on which each step takes a second, and so does a validation."""
    ticks = itertools.count()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: float(next(ticks)))
    data = blobs()
    networks = [MLP(width=4).build(SHAPE, CLASSES, seed=seed) for seed in SEEDS]
    recipe = Recipe(epochs=3, batch_size=16, keep="last")
    steps = math.ceil(len(data.train) / 16)
    assert time_steps(networks, data, recipe, seeds=SEEDS) == 3 * (steps + 1)
    assert time_steps(networks, data.train, recipe, seeds=SEEDS) == 3 * steps
