"""What probes cost: the processor time of the training steps between two of them over that of one probe.

Run `python benchmarks/probe_cost.py [--rounds 15] [--out rows.json]`. One thread. A probe here is all that a probed step
costs: the copy of the weights before it, one forward and backward pass on 128 images, and the numbers of every layer. The
aim is at most 5 %, a twentieth, at one probe in 100 steps, the default of `gradlab.training.probe`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from _rows import Row, in_turns, milliseconds, options, row, tell, with_kept_memory
from stacked_seeds import RECIPE, SHAPES, images, start
from torch import nn
from torch.nn import functional

from gradlab.data import Split
from gradlab.training import probe
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import train_epoch
from gradlab.training.probes_fit import FitProbes

EVERY: int = inspect.signature(probe).parameters["every"].default
STEPS, PROBES = 40, 4
"""Training steps and probes of one round."""
Work = tuple[Callable[[], object], Callable[[], object]]
"""A round of training steps, and one probe."""


def stacked(depth: int, seeds: int) -> Work:
    """Prepare the MLP of the pages on MNIST-like images, `seeds` of them in one stack."""
    train = images(SHAPES["mnist-like"], RECIPE.batch_size * STEPS)
    state = start(SHAPES["mnist-like"], depth, seeds, residual=False)
    feed = ImageFeed(train, torch.float32, state.trainee.prepare)
    probes = FitProbes([EVERY], 128, feed, state.trainee)

    def look() -> None:
        probes.expect(state.trainee, EVERY - 1, EVERY)
        probes.rows = [[] for _ in range(seeds)]
        probes.record(state.trainee, range(seeds), EVERY)

    return lambda: train_epoch(state, RECIPE, feed, "fp32"), look


def convolutional() -> Work:
    """Prepare a small CNN in a plain loop of its own."""
    train = images(SHAPES["mnist-like"], RECIPE.batch_size * STEPS)
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1)]
    layers += [nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def steps() -> None:
        for batch in torch.arange(len(train)).split(RECIPE.batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(model(train.images[batch] / 255), train.labels[batch]).backward()
            optimizer.step()

    return steps, lambda: _one_probe(model, train)


def _one_probe(model: nn.Module, train: Split) -> None:
    with probe(model, train, steps=(1,)) as log:  # copies the weights, then probes
        log.step()


def share(name: str, work: Work, rounds: int) -> Row:
    """Compare a probe with the steps between two."""
    steps, look = work
    sides = {"gradlab": milliseconds(lambda: [look() for _ in range(PROBES)], PROBES)}
    times = in_turns(sides | {"a training step": milliseconds(steps, STEPS)}, rounds)
    times["steps between two"] = [EVERY * one for one in times["a training step"]]
    return row(f"a probe, {name}", times, "steps between two", floor="a training step", at_least=20)


def main() -> None:
    """Measure every case."""
    asked = options(__doc__, rounds=15).parse_args()
    with_kept_memory()
    torch.set_num_threads(1)
    cases: dict[str, Callable[[], Work]] = {
        f"depth {depth}, {seeds} seed{'s' if seeds > 1 else ''}": lambda depth=depth, seeds=seeds: stacked(
            depth, seeds
        )
        for depth in (2, 32)
        for seeds in (1, 6)
    }
    cases["small CNN"] = convolutional
    tell([share(name, prepare(), asked.rounds) for name, prepare in cases.items()], asked.out)


if __name__ == "__main__":
    main()
