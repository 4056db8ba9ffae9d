"""Six stacked seeds over one solo seed: the ratio of the processor time of a training step.

Run `python benchmarks/stacked_seeds.py [--out ratios.json]`. One thread, so that processor time is what a step
takes on an idle machine; medians of alternating rounds of steps, so that other work hits both sides alike. The aim is
a ratio of at most 2; six solo runs cost 6.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import torch

from gradlab.data import Split
from gradlab.models import MLP
from gradlab.training import Recipe
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import State, train_epoch
from gradlab.training.optimizer import build_optimizer
from gradlab.training.trainee import assemble

SHAPES = {"digits-like": (1, 8, 8), "mnist-like": (1, 28, 28)}
DEPTHS = (2, 32)
SEEDS = 6
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
RECIPE = Recipe(optimizer="adam", learning_rate=1e-4, batch_size=128, epochs=1)


def images(shape: tuple[int, int, int], count: int) -> Split:
    """Generate `count` random images of `shape` with labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.uint8)
    return Split(pixels, torch.randint(0, 10, (count,), generator=generator), "train")


def start(shape: tuple[int, int, int], depth: int, seeds: int, *, residual: bool) -> State:
    """Build a fresh training state of `seeds` stacked networks."""
    config = MLP(width=16, depth=depth, residual=residual, stem_activation=False)
    networks = [config.build(shape, 10, seed=seed) for seed in range(seeds)]
    trainee = assemble(networks, list(range(seeds)), device=torch.device("cpu"), dtype=torch.float32)
    return State(trainee, build_optimizer(RECIPE, trainee), epoch=1)


def measure(shape: tuple[int, int, int], depth: int, rounds: int, steps: int) -> dict[str, float]:
    """Return the median processor time per step of one and of six networks, and their ratio."""
    train = images(shape, RECIPE.batch_size * steps)
    states = {count: start(shape, depth, count, residual=True) for count in (1, SEEDS)}
    feeds = {count: ImageFeed(train, torch.float32, state.trainee.prepare) for count, state in states.items()}
    seconds: dict[int, list[float]] = {count: [] for count in states}
    for _ in range(rounds + 1):  # the first round warms up
        for count, state in states.items():
            begun = time.process_time()
            train_epoch(state, RECIPE, feeds[count], "fp32")
            seconds[count].append((time.process_time() - begun) / steps)
    solo, stacked = (statistics.median(times[1:]) for times in seconds.values())
    ratios = [b / a for a, b in zip(seconds[1][1:], seconds[SEEDS][1:], strict=True)]
    return {
        "solo_ms": 1e3 * solo,
        "stacked_ms": 1e3 * stacked,
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def main() -> None:
    """Measure every shape and depth, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=None, help="file for the ratios as JSON")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=40, help="steps of one round")
    options = parser.parse_args()
    if (
        not KEEP_MEMORY.items() <= os.environ.items()
    ):  # as gradlab's workers run; the system reads it at the start
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KEEP_MEMORY)
    torch.set_num_threads(1)
    rows = []
    print(f"{'data':<12} {'depth':>5} {'solo ms':>8} {'six ms':>8} {'ratio':>6}  range")
    for name, shape in SHAPES.items():
        for depth in DEPTHS:
            row = measure(shape, depth, options.rounds, options.steps)
            rows.append({"data": name, "depth": depth} | row)
            print(
                f"{name:<12} {depth:>5} {row['solo_ms']:>8.2f} {row['stacked_ms']:>8.2f} {row['ratio']:>6.2f}"
                f"  {row['lowest']:.2f}-{row['highest']:.2f}"
            )
    if options.out is not None:
        facts = {"torch": torch.__version__, "machine": platform.machine(), "threads": 1, "seeds": SEEDS}
        options.out.write_text(json.dumps(facts | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
