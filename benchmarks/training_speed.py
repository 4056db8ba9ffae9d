"""Training CNNs on CIFAR-10: the plain notebook loop, the same network by `fit`, and the recipe `fast`, in one run.

Run `python benchmarks/training_speed.py [--rounds 5] [--threads 2] [--out rows.json]`, some minutes on two cores. Training
alone, no validation; CIFAR-10 where it is found (GRADLAB_DATA), else generated images of its size. The sides take turns, so
that other work hits them alike; medians of the rounds. Each turn gives seconds of the clock and of the processor (with the
loader's workers): where the machine does other work, those of the clock say little.

- notebook: ResNet-20 in a plain loop: PIL image -> crop, flip, tensor, normalise, image by image, in a `DataLoader` with 0 and
  with 2 persistent workers; SGD, batch 128. The faster of the two counts.
- Trainer: of Hugging Face, the same network and images, its loader without workers.
- fit: the same network, optimiser, batch and augmentation, by gradlab, channels-last.
- fast: the recipe `fast` and its network; one turn for each size of its images.
- step over fixed: the mean step over an epoch, with augmentation, over the same step on one batch that is in memory already.

Time to 90 % of the test images is the measured step times the steps of a recipe. The notebook's: He et al. (2016,
arXiv:1512.03385, section 4.2), 64,000 steps of 128 images, published with 91.25 %; and, as the shortest that one might hope for,
30 epochs with a one-cycle rate, which nobody measured here. The fast recipe's is its whole length, whatever
accuracy it ends with.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import torch
from _notebook_cnn import STEPS, WARM, Notebook, Pictures, Times
from _rows import Row, options, row, tell
from _trainer import Named, WithLoss, trainer

from gradlab.augmentation import Crop, Flip
from gradlab.data import Dataset, from_tensors, load
from gradlab.lab.running.local import ENVIRONMENT
from gradlab.models import build
from gradlab.training import RECIPES, OneCycle, Recipe
from gradlab.training.door import open_run
from gradlab.training.loop import set_rate, start_epoch, train_step, training_batch
from gradlab.types import UserError

RESNET = Recipe(
    optimizer="sgd", learning_rate=0.1, momentum=0.9, weight_decay=1e-4, batch_size=128, epochs=30, schedule=OneCycle(),
    keep="last", memory_format="channels-last", augmentation=(Flip(), Crop(padding=4)),
)  # fmt: skip
PUBLISHED_STEPS, SHORTEST_EPOCHS, IMAGES = 64_000, 30, 50_000


def images() -> tuple[Dataset, str]:
    """Return CIFAR-10, or made-up images of its size, and what they are."""
    try:
        return load("cifar10"), "cifar10"
    except UserError:
        stream = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (6000, 3, 32, 32), generator=stream, dtype=torch.uint8)
        return from_tensors(pixels, torch.arange(6000) % 10), "generated images of CIFAR-10's size"


# --- gradlab's side: a process with the settings of its workers, which steps when told to ---


class Stepper:
    """Steps of one network as `fit` takes them, on fresh batches or on one that is there."""

    def __init__(self, data: Dataset, name: str, recipe: Recipe, size: int | None) -> None:
        own = {} if name == "resnet20" else {"mean": data.mean, "std": data.std}
        recipe = replace(recipe, sizes=() if size is None else (size,))
        self.run = open_run([build(name, **own)], data, recipe, seeds=[0], device="cpu")
        self.recipe, self.state = recipe, self.run.state
        self.state.epoch, self.place = 1, 0
        self.orders = start_epoch(self.state, recipe, self.run.course.train)
        self.fixed = self._batch()

    def turn(self, steps: int, *, fixed: bool) -> Times:
        """Return the times of one step."""
        for step in range(-WARM, steps):
            if step == 0:
                clock, processor = time.perf_counter(), time.process_time()
            set_rate(self.state, self.recipe, self.place, 10**6)
            batch = self.fixed if fixed else self._batch()
            train_step(self.state, self.recipe, batch, "fp32", self.run.course.objective)
        return (time.perf_counter() - clock) / steps, (time.process_time() - processor) / steps

    def _batch(self) -> Any:
        size = self.recipe.batch_size
        if (self.place + 1) * size > self.orders.shape[1]:
            self.place = 0
        indices = self.orders[:, self.place * size : (self.place + 1) * size]
        self.place += 1
        return training_batch(self.state, self.run.course.train, indices, self.place)


def sizes_of_fast() -> list[int | None]:
    """Return every size of images in the recipe, None for their own."""
    recipe = RECIPES["fast"].recipe
    return [*dict.fromkeys(recipe.sizes), *([None] if recipe.epochs > len(recipe.sizes) else [])]


def serve(threads: int) -> None:
    """Answer lines such as "fast 24 fixed" on stdin with the times of a step."""
    torch.set_num_threads(threads)
    data, _ = images()
    fast = RECIPES["fast"]
    steppers = {"resnet20 full": Stepper(data, "resnet20", RESNET, None)}
    for size in sizes_of_fast():
        steppers[f"fast {size or 'full'}"] = Stepper(data, fast.network, fast.recipe, size)
    for line in sys.stdin:
        name, size, kind = line.split()
        times = steppers[f"{name} {size}"].turn(
            STEPS if name == "resnet20" else STEPS // 2, fixed=kind == "fixed"
        )
        print(json.dumps(times), flush=True)


class Server:
    """The process of gradlab's side."""

    def __init__(self, threads: int) -> None:
        environment = os.environ | ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, __file__, "--serve", "--threads", str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def turn(self, line: str) -> Times:
        """Let it take the steps that `line` names."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        clock, processor = json.loads(self.process.stdout.readline())
        return clock, processor


# --- both, in turns ---


def sides(
    server: Server, notebooks: dict[int, Notebook], pictures: Pictures
) -> Iterator[tuple[str, Callable[[], Times]]]:
    """Name every side and how it takes its turn."""
    for workers, notebook in notebooks.items():
        yield f"notebook, {workers} workers", notebook.turn
    if find_spec("accelerate") is not None:
        model = WithLoss(build("resnet20", mean=(0.0,), std=(1.0,)))
        step = trainer(
            model, Named(pictures), 128, STEPS, clock=lambda: time.perf_counter() + 1j * time.process_time()
        )
        yield "Trainer", lambda: ((both := step() / 1e3).real, both.imag)
    for kind in ("fresh", "fixed"):
        yield f"resnet20 full {kind}", lambda kind=kind: server.turn(f"resnet20 full {kind}")
        for size in sizes_of_fast():
            line = f"fast {size or 'full'} {kind}"
            if size is None or kind == "fresh":
                yield line, lambda line=line: server.turn(line)


def whole_fast(found: dict[str, float]) -> float:
    """Seconds of the fast recipe on all training images, by the steps of one round."""
    recipe = RECIPES["fast"].recipe
    steps = IMAGES / recipe.batch_size
    return steps * sum(
        found[f"fast {recipe.size_in(epoch) or 'full'} fresh"] for epoch in range(1, recipe.epochs + 1)
    )


def rows_of(rounds: list[dict[str, Times]], which: int, told: str) -> list[Row]:
    """Compare by the clock (0) or by the processor (1)."""
    plain = [{name: times[which] for name, times in one.items()} for one in rounds]
    times = {name: [1e3 * one[name] for one in plain] for name in plain[0]}
    notebook = min(
        (name for name in times if name.startswith("notebook")),
        key=lambda name: statistics.median(times[name]),
    )
    what = f"a step of ResNet-20, {told}"
    own = {"own": "resnet20 full fresh", "floor": "resnet20 full fixed"}
    rows = [row(what, times, one, **own) for one in (notebook, "Trainer") if one in times]  # type: ignore[arg-type]
    minutes = {"fast": [whole_fast(one) / 60 for one in plain]}
    for name, steps in (("64,000 steps", PUBLISHED_STEPS), ("30 epochs", SHORTEST_EPOCHS * IMAGES / 128)):
        minutes[f"notebook, {name}"] = [one[notebook] * steps / 60 for one in plain]
        what = f"the recipe fast as a whole, {told}"
        rows.append(row(what, minutes, f"notebook, {name}", own="fast", unit="min"))
    over = {"fast": times["fast full fresh"], "fixed": times["fast full fixed"]}
    return [*rows, row(f"a step of the recipe fast, {told}", over, "fixed", own="fast", at_least=1 / 1.1)]


def main() -> None:
    """Measure all sides in turns."""
    parser = options(__doc__, rounds=5, threads=os.cpu_count() or 1)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.threads)
        return
    torch.set_num_threads(asked.threads)
    data, name = images()
    pictures = Pictures(data)
    server = Server(asked.threads)
    notebooks = {workers: Notebook(pictures, workers) for workers in (0, 2)}
    turns = list(sides(server, notebooks, pictures))
    rounds = [{side: turn() for side, turn in turns} for _ in range(asked.rounds)]
    server.process.kill()
    server.process.communicate()
    rows = rows_of(rounds, 0, "by the clock") + rows_of(rounds, 1, "by the processor")
    tell(rows, asked.out, data=name, threads=asked.threads)


if __name__ == "__main__":
    main()
