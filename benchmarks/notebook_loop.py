"""Training as gradlab does it against the plain notebook loop, per seed; and how far a step is from its floor.

Run `python benchmarks/notebook_loop.py [--out rows.json]`, about two minutes on two cores. Training only (no probes,
no validation), batch 128, Adam, MNIST where it is found (GRADLAB_DATA), else generated images of its size. All sides
take turns in one run, so that other work hits them alike; medians of the rounds.

- gradlab: six seeds stacked on one thread. "two" is how its workers run on two cores: two such blocks at once, in
  processes of their own, so that twelve seeds share the time; "one" is a single block with the other core idle.
- notebook: PIL image -> tensor -> normalised, image by image, in a `DataLoader` with 0 and with 2 persistent workers,
  a `torch.nn.Sequential`, `torch.optim.Adam`; one seed. On PyTorch's own number of threads, and on one, since threads
  that wait for each other suffer most where other work shares the cores. The fastest of the four counts.
- Trainer: of Hugging Face, the same network and images, its loader without workers, one seed.
- floor: the products, sums and updates of one step of the six seeds alone (`_floor.py`), in the process of "one".

The aim is 20 times the notebook at depth 2 and 12 times at depth 32.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import torch
from _floor import Floor
from _rows import Row, Side, machine, options, row, tell
from _trainer import Named, WithLoss, trainer
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from gradlab.data import Split, from_tensors, load, order
from gradlab.lab.running.local import ENVIRONMENT
from gradlab.models import MLP
from gradlab.training import Recipe
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import State, train_epoch
from gradlab.training.optimizer import build_optimizer
from gradlab.training.trainee import assemble
from gradlab.types import UserError

DEPTHS, AIMS = (2, 32), {2: 20, 32: 12}
WIDTH, SEEDS, BATCH = 16, 6, 128
MEAN, STD = 0.1307, 0.3081
RECIPE = Recipe(optimizer="adam", learning_rate=1e-4, batch_size=BATCH, epochs=1)
STEPS = 100
"""Steps of one turn of gradlab and of the floor: an epoch."""
WARM_STEPS, NOTEBOOK_STEPS, NOTEBOOK_SECONDS = 6, 40, 1.0
"""Of one turn of the notebook: steps in which the loader fills up, which do not count, then at most so many or so long."""
NOTEBOOKS = [(workers, threads) for workers in (0, 2) for threads in (1, torch.get_num_threads())]
"""Loaders' workers and PyTorch's threads."""


def images() -> tuple[Split, str]:
    """Return training images, enough for one turn, and what they are."""
    count = BATCH * STEPS
    try:
        return load("mnist").train[torch.arange(count)], "mnist"
    except UserError:
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
        labels = torch.randint(0, 10, (count,), generator=generator)
        return from_tensors(pixels, labels).train, "generated images of MNIST's size"


# --- the notebook's side ---


class Pictures(Dataset[tuple[Tensor, int]]):
    """PIL images with a transform, as notebooks write it."""

    def __init__(self, split: Split) -> None:
        self.pictures = [Image.fromarray(image) for image in split.images[:, 0].numpy()]
        self.labels = split.labels.tolist()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        tensor = torch.from_numpy(np.array(self.pictures[index], dtype=np.float32) / 255).unsqueeze(0)
        return (tensor - MEAN) / STD, self.labels[index]


class Notebook:
    """One network trained by the plain loop."""

    def __init__(self, pictures: Pictures, depth: int, workers: int) -> None:
        hidden = [layer for _ in range(depth) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
        self.model = nn.Sequential(
            nn.Flatten(), nn.Linear(784, WIDTH), nn.ReLU(), *hidden, nn.Linear(WIDTH, 10)
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RECIPE.learning_rate)
        self.loader = DataLoader(
            pictures, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )

    def train(self, threads: int) -> float:
        """Return the seconds of one step."""
        torch.set_num_threads(threads)
        self.model.train()
        begun, spent = time.perf_counter(), 0.0
        for step, (pixels, labels) in enumerate(self.loader, 1 - WARM_STEPS):
            self.optimizer.zero_grad()
            loss = functional.cross_entropy(self.model(pixels), labels)
            loss.backward()
            self.optimizer.step()
            if step == 0:
                begun = time.perf_counter()
            spent = time.perf_counter() - begun
            if step == NOTEBOOK_STEPS or (step > 0 and spent > NOTEBOOK_SECONDS):
                break
        return spent / step


# --- gradlab's side: processes that train when told to ---


def start(depth: int) -> State:
    """Build a fresh training state of six stacked networks."""
    config = MLP(width=WIDTH, depth=depth)
    networks = [config.build((1, 28, 28), 10, seed=seed, mean=(MEAN,), std=(STD,)) for seed in range(SEEDS)]
    trainee = assemble(networks, list(range(SEEDS)), device=torch.device("cpu"), dtype=torch.float32)
    return State(trainee, build_optimizer(RECIPE, trainee), epoch=1)


def floor_epoch(floor: Floor, train: ImageFeed) -> None:
    """Take steps on the same orders as training does."""
    orders = torch.stack([order(len(train), seed=seed, epoch=1) for seed in range(SEEDS)])
    for step in range(STEPS):
        floor.step(orders[:, step * BATCH : (step + 1) * BATCH])


def serve() -> None:
    """Answer lines "train 2" or "floor 2" on stdin with the seconds, of the clock and of the processor, of a step."""
    torch.set_num_threads(1)
    split, _ = images()
    states = {depth: start(depth) for depth in DEPTHS}
    feed = ImageFeed(split, torch.float32, states[DEPTHS[0]].trainee.prepare)
    assert feed._table is not None  # MNIST fits
    widths = {depth: (784, *(WIDTH,) * (depth + 1), 10) for depth in DEPTHS}
    floors = {depth: Floor(feed._table, feed.labels, widths[depth], SEEDS, BATCH) for depth in DEPTHS}
    work: dict[str, Callable[[int], object]] = {
        "train": lambda depth: train_epoch(states[depth], RECIPE, feed, "fp32"),
        "floor": lambda depth: floor_epoch(floors[depth], feed),
    }
    for line in sys.stdin:
        kind, depth = line.split()
        clock, processor = time.perf_counter(), time.process_time()
        work[kind](int(depth))
        spent = (time.perf_counter() - clock) / STEPS, (time.process_time() - processor) / STEPS
        print(json.dumps(spent), flush=True)


class Server:
    """A process of gradlab's side."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ENVIRONMENT,
        )

    def ask(self, line: str) -> None:
        """Start the work that `line` names."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def answer(self) -> tuple[float, float]:
        """Wait for its seconds a step: of the clock, of the processor."""
        assert self.process.stdout is not None
        clock, processor = json.loads(self.process.stdout.readline())
        return clock, processor

    def stop(self) -> None:
        """End it; closing its stdin would not, since the loaders' processes hold copies of the pipe."""
        self.process.kill()
        self.process.communicate()


# --- both, in turns ---


def one_round(depth: int, servers: list[Server], others: Mapping[str, Side]) -> dict[str, float]:
    """Return milliseconds a step of every side, those of gradlab's training per seed; "step" and "floor" are the processor's."""
    times = {name: side() for name, side in others.items()}
    for server in servers:
        server.ask(f"train {depth}")
    times["two"] = 1e3 * max(server.answer()[0] for server in servers) / (len(servers) * SEEDS)
    servers[0].ask(f"train {depth}")
    clock, step = servers[0].answer()
    servers[0].ask(f"floor {depth}")
    _, floor = servers[0].answer()
    return times | {"one": 1e3 * clock / SEEDS, "step": 1e3 * step, "floor": 1e3 * floor}


def rows_of(depth: int, servers: list[Server], pictures: Pictures, rounds: int) -> list[Row]:
    """Compare gradlab, on one core and on two, with the fastest notebook and with Trainer."""
    loops = {workers: Notebook(pictures, depth, workers) for workers in (0, 2)}
    others: dict[str, Side] = {
        f"notebook, {workers} workers, {threads} threads": lambda workers=workers, threads=threads: (  # type: ignore[misc]
            1e3 * loops[workers].train(threads)
        )
        for workers, threads in NOTEBOOKS
    }
    if find_spec("accelerate") is not None:
        model = WithLoss(Notebook(pictures, depth, 0).model)
        others["Trainer"] = trainer(model, Named(pictures), BATCH, NOTEBOOK_STEPS, clock=time.perf_counter)
    found = [one_round(depth, servers, others) for _ in range(rounds + 1)][1:]  # the first warms up
    times = {name: [one[name] for one in found] for name in found[0]}
    middle = {name: statistics.median(values) for name, values in times.items()}
    fastest = min((name for name in others if name != "Trainer"), key=middle.__getitem__)
    least = (
        middle["one"] * middle["floor"] / middle["step"]
    )  # by the processor; told for one seed and by the clock
    what = f"a step of an MLP of depth {depth}"
    made = [
        replace(
            row(what, times, fastest, own="one"), floor=least, floor_is="its arithmetic alone", floors=1.2
        )
    ]
    if machine()["usable cores"] > 1:
        made.append(row(f"{what}, two processes", times, fastest, own="two", at_least=AIMS[depth]))
    return made + [row(what, times, name, own="one") for name in others if name == "Trainer"]


def main() -> None:
    """Measure both depths."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return
    split, data = images()
    pictures = Pictures(split)
    servers = [Server(), Server()]
    rows = [one for depth in DEPTHS for one in rows_of(depth, servers, pictures, asked.rounds)]
    for server in servers:
        server.stop()
    tell(rows, asked.out, data=data)


if __name__ == "__main__":
    main()
