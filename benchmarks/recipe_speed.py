"""How long the recipes with a name take, in bf16 and in fp32, from a few of their steps.

Run `python benchmarks/recipe_speed.py [RECIPE ...] [--rounds 8] [--threads 2]`, a minute a recipe. CIFAR-10 where it is found
(GRADLAB_DATA), else generated images of its size. Number formats take turns; of each size of images the shortest step
counts, since other work only lengthens it. The whole is steps alone, without validation and without the first seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace

import torch
from training_speed import images

from gradlab.data import Dataset
from gradlab.lab.running.local import ENVIRONMENT
from gradlab.models import build
from gradlab.training import RECIPES, NamedRecipe, named_recipe
from gradlab.training.door import open_run
from gradlab.training.loop import set_rate, start_epoch, steps_per_epoch, train_step, training_batch
from gradlab.training.number_format import bf16_units
from gradlab.training.recipe import Precision

FORMATS: tuple[Precision, ...] = ("bf16", "fp32")
WARM = 2


class Steps:
    """Steps of a recipe in one number format, on images of one size."""

    def __init__(self, data: Dataset, named: NamedRecipe, epoch: int, precision: Precision) -> None:
        network = build(named.network, mean=data.mean, std=data.std)
        self.recipe = replace(named.recipe, precision=precision)
        self.run = open_run([network], data, self.recipe, seeds=[0], device="cpu")
        self.run.state.epoch, self.taken = epoch, 0
        self.order = start_epoch(self.run.state, self.recipe, self.run.course.train)

    def take(self) -> tuple[float, float]:
        """Take a step; returns seconds of the clock and of the processor."""
        clock, processor = time.perf_counter(), time.process_time()
        state, course, size = self.run.state, self.run.course, self.recipe.batch_size
        set_rate(state, self.recipe, self.taken, 10**6)
        indices = self.order[:, self.taken * size : (self.taken + 1) * size]
        batch = training_batch(state, course.train, indices, self.taken)
        train_step(state, self.recipe, batch, course.precision, course.objective)
        self.taken += 1
        return time.perf_counter() - clock, time.process_time() - processor


def measure(data: Dataset, named: NamedRecipe, rounds: int) -> dict[Precision, tuple[float, float]]:
    """Print the shortest step of every size; returns minutes of the clock and of the processor for the whole recipe."""
    recipe = named.recipe
    sums: dict[Precision, list[float]] = {form: [0.0, 0.0] for form in FORMATS}
    for size in dict.fromkeys(recipe.size_in(epoch) for epoch in range(1, recipe.epochs + 1)):
        epochs = [epoch for epoch in range(1, recipe.epochs + 1) if recipe.size_in(epoch) == size]
        steppers = {form: Steps(data, named, epochs[0], form) for form in FORMATS}
        turns = [{form: one.take() for form, one in steppers.items()} for _ in range(WARM + rounds)][WARM:]
        count = len(epochs) * steps_per_epoch(recipe, len(data.train))
        for form in FORMATS:
            shortest = [min(turn[form][which] for turn in turns) for which in (0, 1)]
            sums[form] = [sum_ + one * count / 60 for sum_, one in zip(sums[form], shortest, strict=True)]
            told = " and ".join(f"{one * 1e3:.0f} ms" for one in shortest)
            print(f"  {form}, {size or 'full'} pixels: {told} (clock, processor)", flush=True)
    return {form: (sums[form][0], sums[form][1]) for form in FORMATS}


def main() -> None:
    """Measure the recipes that are named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", default=list(RECIPES))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ENVIRONMENT)
    torch.set_num_threads(options.threads)
    data, name = images()
    print(
        f"{name}, {options.threads} threads, {bf16_units() or 'no bf16'} units, PyTorch {torch.__version__}"
    )
    for one in options.recipes:
        print(one)
        for form, (clock, processor) in measure(data, named_recipe(one), options.rounds).items():
            print(f"  {form}, whole: {clock:.1f} minutes of the clock, {processor:.1f} of the processor")


if __name__ == "__main__":
    main()
