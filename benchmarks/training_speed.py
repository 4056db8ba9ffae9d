"""Training CNNs on CIFAR-10: the plain notebook loop, the same network by `fit`, and the recipe `fast`, in one run.

Run `python benchmarks/training_speed.py [--rounds 5] [--threads 2] [--out speed.json]`, some minutes on two cores. Training
alone, no validation; CIFAR-10 where it is found (GRADLAB_DATA), else generated images of its size. The sides take turns, so
that other work hits them alike; medians of the rounds. Each turn gives seconds of the clock and of the processor (with the
loader's workers): where the machine does other work, those of the clock say little.

- notebook: ResNet-20 in a plain loop: PIL image -> crop, flip, tensor, normalise, image by image, in a `DataLoader` with 0 and
  with 2 persistent workers; SGD, batch 128. The faster of the two counts.
- fit: the same network, optimiser, batch and augmentation, by gradlab, channels-last.
- fast: the recipe `fast` and its network; one turn for each size of its images.
- step over fixed: the mean step over an epoch, with augmentation, over the same step on one batch that is in memory already.

Time to 90 % of the test images is the measured step times the steps of a recipe. The notebook's: He et al. (2016,
arXiv:1512.03385, section 4.2), 64,000 steps of 128 images, published with 91.25 %; and, as the shortest that one might hope for,
30 epochs with a one-cycle rate, which nobody measured here. The fast recipe's is its whole length.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _notebook_cnn import STEPS, WARM, Notebook, Pictures, Times

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


def sides(server: Server, notebooks: dict[int, Notebook]) -> Iterator[tuple[str, Callable[[], Times]]]:
    """Name every side and how it takes its turn."""
    for workers, notebook in notebooks.items():
        yield f"notebook, {workers} workers", notebook.turn
    for kind in ("fresh", "fixed"):
        yield f"resnet20 full {kind}", lambda kind=kind: server.turn(f"resnet20 full {kind}")
        for size in sizes_of_fast():
            line = f"fast {size or 'full'} {kind}"
            if size is None or kind == "fresh":
                yield line, lambda line=line: server.turn(line)


def whole_fast(middle: dict[str, float]) -> float:
    """Seconds of the fast recipe on all training images."""
    recipe = RECIPES["fast"].recipe
    steps = IMAGES / recipe.batch_size
    return steps * sum(
        middle[f"fast {recipe.size_in(epoch) or 'full'} fresh"] for epoch in range(1, recipe.epochs + 1)
    )


def summary(rounds: list[dict[str, Times]], which: int) -> dict[str, Any]:
    """Return medians and ratios by the clock (0) or by the processor (1)."""
    middle = {name: statistics.median(row[name][which] for row in rounds) for name in rounds[0]}
    notebook = min((name for name in middle if name.startswith("notebook")), key=middle.__getitem__)
    fast_batch, fast = RECIPES["fast"].recipe.batch_size, whole_fast(middle)
    published = PUBLISHED_STEPS * middle[notebook]
    shortest = SHORTEST_EPOCHS * IMAGES / 128 * middle[notebook]

    def over(name: str) -> float:
        pairs = [row[f"{name} full fresh"][which] / row[f"{name} full fixed"][which] for row in rounds]
        return statistics.median(pairs)

    return {
        "seconds a step": middle,
        "notebook": notebook,
        "images a second": {
            "notebook": 128 / middle[notebook],
            "fit": 128 / middle["resnet20 full fresh"],
            "fast": fast_batch / middle["fast full fresh"],
        },
        "fit over notebook": middle[notebook] / middle["resnet20 full fresh"],
        "minutes": {"notebook, published": published / 60, "notebook, 30 epochs": shortest / 60, "fast": fast / 60},
        "fast sooner": {"published": published / fast, "30 epochs": shortest / fast},
        "step over fixed": {name: over(name) for name in ("resnet20", "fast")},
    }  # fmt: skip


def show(found: dict[str, Any], unit: str) -> None:
    """Print one table."""
    rate, minutes, sooner = found["images a second"], found["minutes"], found["fast sooner"]
    print(f"\nby {unit}; the faster {found['notebook']}")
    print(
        f"images a second     notebook {rate['notebook']:.0f}   fit {rate['fit']:.0f}   fast {rate['fast']:.0f}"
    )
    print(f"same network        {found['fit over notebook']:.2f} times the notebook's rate")
    print(
        f"minutes to 90 %     notebook {minutes['notebook, published']:.0f} (64,000 steps), "
        f"{minutes['notebook, 30 epochs']:.0f} (30 epochs)   fast {minutes['fast']:.1f}"
    )
    print(
        f"fast is sooner      {sooner['published']:.1f} times (64,000 steps), {sooner['30 epochs']:.1f} times (30 epochs); aim 8"
    )
    over = found["step over fixed"]
    print(f"step over fixed     resnet20 {over['resnet20']:.3f}   fast {over['fast']:.3f}; aim at most 1.10")


def main() -> None:
    """Measure all sides in turns, print tables and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=None, help="file for the numbers as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of PyTorch, on all sides")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.threads)
        return
    torch.set_num_threads(options.threads)
    data, name = images()
    pictures = Pictures(data)
    server = Server(options.threads)
    notebooks = {workers: Notebook(pictures, workers) for workers in (0, 2)}
    turns = list(sides(server, notebooks))
    rounds = [{side: turn() for side, turn in turns} for _ in range(options.rounds)]
    server.process.kill()
    server.process.communicate()
    print(f"{name}, {options.threads} threads, {platform.machine()}, PyTorch {torch.__version__}")
    found = {"clock": summary(rounds, 0), "processor": summary(rounds, 1)}
    for unit, one in found.items():
        show(one, unit)
    if options.out is not None:
        facts = {
            "torch": torch.__version__,
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "data": name,
        }
        options.out.write_text(json.dumps(facts | {"threads": options.threads} | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
