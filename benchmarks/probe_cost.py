"""What probes cost: the processor time of one probe over that of the training steps between two of them.

Run `python benchmarks/probe_cost.py [--out shares.json]`. One thread; rounds of training steps and of probes in
turn, so that other work hits both alike, and the median over the rounds. A probe here is all that a probed step costs:
the copy of the weights before it, one forward and backward pass on 128 images, and the numbers of every layer. The aim
is at most 5 % at one probe in 100 steps, the default of `gradlab.training.probe`.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from stacked_seeds import KEEP_MEMORY, RECIPE, SHAPES, images, start
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


def share(work: Work, rounds: int) -> dict[str, float]:
    """Return median milliseconds of a step and of a probe, and the probe's share of `EVERY` steps."""
    steps, look = work
    step_seconds, probe_seconds = [], []
    for _ in range(rounds + 1):  # the first round warms up
        begun = time.process_time()
        steps()
        step_seconds.append((time.process_time() - begun) / STEPS)
        begun = time.process_time()
        for _ in range(PROBES):
            look()
        probe_seconds.append((time.process_time() - begun) / PROBES)
    shares = [b / (EVERY * a) for a, b in zip(step_seconds[1:], probe_seconds[1:], strict=True)]
    return {
        "step_ms": 1e3 * statistics.median(step_seconds[1:]),
        "probe_ms": 1e3 * statistics.median(probe_seconds[1:]),
        "share": statistics.median(shares),
        "lowest": min(shares),
        "highest": max(shares),
    }


def main() -> None:
    """Measure every case, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=None, help="file for the shares as JSON")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if (
        not KEEP_MEMORY.items() <= os.environ.items()
    ):  # as gradlab's workers run; the system reads it at the start
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KEEP_MEMORY)
    torch.set_num_threads(1)
    cases: dict[str, Callable[[], Work]] = {
        f"depth {depth}, {seeds} seed{'s' if seeds > 1 else ''}": lambda depth=depth, seeds=seeds: stacked(
            depth, seeds
        )
        for depth in (2, 32)
        for seeds in (1, 6)
    }
    cases["small CNN"] = convolutional
    rows = []
    print(f"{'network':<18} {'step ms':>8} {'probe ms':>9} {'share':>7}  range, one probe in {EVERY} steps")
    for name, prepare in cases.items():
        row = share(prepare(), options.rounds)
        rows.append({"network": name} | row)
        print(
            f"{name:<18} {row['step_ms']:>8.2f} {row['probe_ms']:>9.2f} {row['share']:>7.1%}"
            f"  {row['lowest']:.1%}-{row['highest']:.1%}"
        )
    if options.out is not None:
        facts = {"torch": torch.__version__, "machine": platform.machine(), "threads": 1, "every": EVERY}
        options.out.write_text(json.dumps(facts | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
