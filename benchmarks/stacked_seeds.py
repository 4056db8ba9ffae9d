"""Six stacked seeds against one after another: processor time of a training step; the floor is the step of one.

Run `python benchmarks/stacked_seeds.py [--rounds 15] [--out rows.json]`. One thread, so that processor time is what a step
takes on an idle machine. The aim is a step of at most one and a half times that of one seed: 4 times as fast as six.
"""

from __future__ import annotations

import torch
from _rows import Row, Side, in_turns, milliseconds, options, row, tell, with_kept_memory

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


def measure(name: str, depth: int, rounds: int, steps: int) -> Row:
    """Compare a step of six stacked networks with six steps of one."""
    train = images(SHAPES[name], RECIPE.batch_size * steps)

    def side(seeds: int) -> Side:
        state = start(SHAPES[name], depth, seeds, residual=True)
        feed = ImageFeed(train, torch.float32, state.trainee.prepare)
        return milliseconds(lambda: train_epoch(state, RECIPE, feed, "fp32"), steps)

    times = in_turns({"gradlab": side(SEEDS), "a step of one": side(1)}, rounds)
    times["one after another"] = [SEEDS * one for one in times["a step of one"]]
    what = f"a step of {SEEDS} stacked seeds, {name}, depth {depth}"
    return row(what, times, "one after another", floor="a step of one", at_least=4)


def main() -> None:
    """Measure every shape and depth."""
    asked = options(__doc__, rounds=15, steps=40).parse_args()
    with_kept_memory()
    torch.set_num_threads(1)
    tell([measure(name, depth, asked.rounds, asked.steps) for name in SHAPES for depth in DEPTHS], asked.out)


if __name__ == "__main__":
    main()
