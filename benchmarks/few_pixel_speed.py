"""Candidates a second of the few-pixel attack, against torchattacks' OnePixel: same network, images and population.

Run `python benchmarks/few_pixel_speed.py [--rounds 3] [--published]` in an environment that has torchattacks beside gradlab (its
own: `python -m venv peers && peers/bin/pip install torch==2.13.0 torchattacks -e .`); without it only our side is told. The sides
take turns, on one thread; candidates are images that the network saw, seconds those of the processor. `--published` also runs the
published strength, 400 candidates and 100 generations, on 20 images. `the network alone` is the light copy that gradlab attacks,
forward only, the quickest of many passes: no search that asks it about every candidate is faster, so that the time of
torchattacks over that of the network alone bounds every ratio.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _rows import Row, Side, in_turns, options, row, tell
from torch import nn

from gradlab.attacks import FewPixel
from gradlab.models import CNN, build
from gradlab.models.light import light

NETWORKS = {
    "small CNN, 8×8 grey": ("small", (1, 8, 8)),
    "small CNN, 28×28 grey": ("small", (1, 28, 28)),
    "ResNet-20, 32×32 colour": ("resnet20", (3, 32, 32)),
}
POPULATIONS = {10: (10, 50), 400: (2, 4)}
"""Candidates of an image: torchattacks' default, and the published ones; and how many generations and images."""

BATCHES = (64, 128, 256, 512)
"""Images in a pass of the network alone."""
PASSES = 12
"""In each of these sizes; the quickest counts, so that the bound errs towards what is possible."""
ALONE = "the network alone"


class Stubborn(nn.Module):
    """A network that never leaves class 0, so that no search ends early."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, that of class 0 far above the others."""
        logits = self.network(images)
        return torch.cat([logits[:, :1] + 100, logits[:, 1:]], 1)


class Counting(nn.Module):
    """A network that counts the images it sees."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.seen = network, 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        self.seen += len(images)
        return self.network(images)


def network_of(name: str, shape: tuple[int, int, int]) -> nn.Module:
    """Return an untrained network in eval mode: its speed is that of a trained one."""
    network = build(name) if name == "resnet20" else CNN(widths=(16, 32)).build(shape, 10, seed=0)
    return Stubborn(network).eval()


def ours(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, population: int) -> float:
    """Return candidates a second of the processor."""
    attack = FewPixel(population=population, generations=POPULATIONS[population][0])
    start = time.process_time()
    found = attack.explore(network, images, labels)
    return int(found.queries.sum()) / (time.process_time() - start)


def theirs(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, population: int) -> float:
    """Return the same of torchattacks."""
    import torchattacks

    np.random.seed(0)  # torchattacks draws from the global stream
    counting = Counting(network)
    attack = torchattacks.OnePixel(counting, pixels=1, steps=POPULATIONS[population][0], popsize=population)
    start = time.process_time()
    attack(images, labels)
    return counting.seen / (time.process_time() - start)


def alone(network: nn.Module, images: torch.Tensor) -> float:
    """Return candidates a second of the light copy alone: the quickest of many passes, in several sizes of batches."""
    copy, rates = light(network, images), []
    for size in BATCHES:
        batch = images.repeat(-(-size // len(images)), 1, 1, 1)[:size]
        with torch.no_grad():
            for _ in range(PASSES):
                start = time.process_time()
                copy(batch)
                rates.append(size / (time.process_time() - start))
    return max(rates)


def compare(title: str, rounds: int) -> list[Row]:
    """Compare milliseconds of a candidate on one network."""
    name, shape = NETWORKS[title]
    network = network_of(name, shape)
    rows = []
    for population, (_, count) in POPULATIONS.items():
        images = torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))
        labels = torch.zeros(count, dtype=torch.int64)

        def side(run: Callable[..., float], given: tuple[Any, ...] = (network, images, labels, population)) -> Side:  # fmt: skip
            return lambda: 1e3 / run(*given)

        sides = {
            "gradlab": side(ours),
            "torchattacks": side(theirs),
            ALONE: side(alone, (network, images)),
        }
        what = f"a candidate of few-pixel, {title}, {population} of an image"
        rows.append(row(what, in_turns(sides, rounds, warm=0), "torchattacks", floor=ALONE, at_least=10))
    return rows


def published(count: int) -> None:
    """Print what the published strength costs on some images."""
    network = network_of("resnet20", (3, 32, 32))
    images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(count, dtype=torch.int64)
    start = time.process_time()
    found = FewPixel().explore(network, images, labels)
    seconds = time.process_time() - start
    print(
        f"400 candidates × 100 generations on {count} images: {seconds / 60:.1f} minutes of the processor, "
        f"{int(found.queries.sum()):,} candidates"
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = options(__doc__, rounds=3)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--published", action="store_true")
    asked = parser.parse_args()
    if importlib.util.find_spec("torchattacks") is None:
        sys.exit("nothing measured: torchattacks is not here; see the head of this file")
    torch.set_num_threads(1)
    tell([one for title in asked.networks for one in compare(title, asked.rounds)], asked.out)
    if asked.published:
        published(20)


if __name__ == "__main__":
    main()
