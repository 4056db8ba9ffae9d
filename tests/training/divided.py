"""Trainings that two processes divide among them: `python -m tests.training.divided FOLDER` is one of the two."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from gradlab.attacks import MadryTraining
from gradlab.augmentation import Crop, FeatureAugmentation, Flip, Mixup
from gradlab.models import MLP
from gradlab.training import Cosine, Group, Patience, Recipe, fit, fit_stacked
from gradlab.training.torchrun import leave
from gradlab.types import UserError
from tests.pages import ROOT

from .examples import CLASSES, SHAPE, blobs

DATA = blobs(150)
SMALL = Recipe(optimizer="sgd", learning_rate=0.1, momentum=0.9, batch_size=18, epochs=2, keep="last")
"""A last batch of its own size, and odd parts."""
NET = MLP(width=6, depth=2, residual=True)


class Drawing(nn.Module):
    """Draws where no dropout layer does."""

    def __init__(self) -> None:
        super().__init__()
        self.head = cnn()[-1]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.dropout(self.head(images.flatten(1)), 0.5, self.training)


def cnn(*between: nn.Module) -> nn.Module:
    """A small CNN with some layers after its convolution."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(1, 4, 3, padding=1), *between, nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, CLASSES))


def mlp(**own: Any) -> nn.Module:
    return replace(NET, **own).build(SHAPE, CLASSES, seed=0)


CASES: dict[str, tuple[Any, Recipe]] = {
    "sgd": (cnn, SMALL),
    "stacked mlp": (mlp, SMALL),
    "clipped, average, schedule": (
        cnn,
        replace(SMALL, clip_norm=0.1, ema=0.9, schedule=Cosine(), keep="best"),
    ),
    "muon and groups": (
        cnn,
        replace(SMALL, optimizer="muon", learning_rate=0.02, groups=(Group(match="*bias", decay=0.1),)),
    ),
    "augmented": (cnn, replace(SMALL, augmentation=(Flip(), Crop(padding=1)))),
    "mixed": (cnn, replace(SMALL, augmentation=(Flip(),), mixing=Mixup())),
    "batch norm": (lambda: cnn(nn.BatchNorm2d(4)), SMALL),
    "batch norm without momentum": (lambda: cnn(nn.BatchNorm2d(4, momentum=None)), SMALL),
    "batch norm of an mlp": (lambda: mlp(norm="batch"), SMALL),
    "dropout": (lambda: cnn(nn.Dropout(0.3)), SMALL),
    "dropout of channels": (lambda: cnn(nn.Dropout2d(0.3)), replace(SMALL, memory_format="channels-last")),
    "dropout of an mlp": (lambda: mlp(dropout=0.4), SMALL),
}
"""What two processes train as one does."""
REFUSED: dict[str, tuple[Any, Recipe, dict[str, Any], str]] = {
    "a batch of one": (cnn, replace(SMALL, batch_size=len(DATA.train) - 1), {}, "fewer than the 2 processes"),
    "an attack": (cnn, SMALL, {"objective": MadryTraining()}, "with the cross-entropy, got MadryTraining"),
    "features": (cnn, replace(SMALL, feature_augmentation=FeatureAugmentation()), {}, "feature augmentation"),
    "probes": (cnn, SMALL, {"probe_steps": [1]}, "drop probe_steps"),
    "draws": (Drawing, SMALL, {}, "draws random numbers in its forward pass"),
    "statistics": (
        lambda: cnn(nn.InstanceNorm2d(4, track_running_stats=True)),
        SMALL,
        {},
        "in epoch 1 the network",
    ),
}
STOPPED = replace(SMALL, learning_rate=0.5, epochs=20, stopping=Patience(patience=1), keep="best")


def outcome(model: nn.Module, recipe: Recipe, **more: Any) -> dict[str, Any]:
    """Train, and return all that should be the same, or the sentence."""
    heard: list[int] = []
    try:
        found = fit(
            model,
            DATA,
            recipe,
            device="cpu",
            progress=False,
            listeners=[lambda epoch: heard.append(epoch.epoch)],
            **more,
        )
    except UserError as error:
        return {"error": str(error)}
    return {
        "state": found.model.state_dict(), "history": found.history, "status": found.status,
        "best": found.best_epoch, "note": found.note, "heard": heard,
    }  # fmt: skip


def work(folder: Path, rank: int) -> None:
    """Train everything; what comes out is saved case by case."""

    def keep(name: str, value: Any) -> None:
        torch.save(value, folder / f"{name}.{rank}.pt")

    for name, (build, recipe) in CASES.items():
        keep(name, outcome(build(), recipe, precision="fp64"))
    for name, (build, recipe, more, _) in REFUSED.items():
        keep(name, outcome(build(), recipe, **more))
    keep("fp32", outcome(cnn(), SMALL))
    stacked = fit_stacked(
        [mlp(), mlp()], DATA, SMALL, seeds=[0, 1], precision="fp64", device="cpu", progress=False
    )
    keep("two seeds", [one.model.state_dict() for one in stacked])
    keep("stopped", outcome(cnn(), STOPPED))
    keep("diverged", outcome(cnn(), replace(SMALL, learning_rate=1e30)))
    keep("other seeds", outcome(cnn(), SMALL, seed=rank))
    place = folder / f"checkpoint.{rank}"  # only that of process 0 is there
    normed = cnn(nn.BatchNorm2d(4))
    outcome(normed, SMALL, checkpoint=place, pause_after=1)
    keep("resumed", outcome(normed, SMALL, checkpoint=place))
    keep("whole", outcome(normed, SMALL))
    keep("refused checkpoint", outcome(normed, SMALL, seed=5, checkpoint=place))
    if rank == 1:
        from gradlab.training import loop

        loop.set_rate = lambda *_: os._exit(7)  # dies in its first step
    keep("left alone", outcome(cnn(), SMALL))


@contextlib.contextmanager
def two(words: Sequence[str], folder: Path = ROOT) -> Iterator[list["subprocess.Popen[str]"]]:
    """Start `python -m WORDS` twice in a folder, as torchrun does; whoever is left at the end is killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = os.environ | {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-m", *words],
            env=told | {"RANK": rank}, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    try:
        yield both
    finally:
        for one in both:
            one.kill()
            one.communicate()


def run_two(words: Sequence[str], folder: Path = ROOT) -> list["subprocess.CompletedProcess[str]"]:
    """Start two processes and wait for both."""
    with two(words, folder) as both:
        said = [one.communicate(timeout=240) for one in both]
        return [
            subprocess.CompletedProcess(words, one.returncode, *out)
            for one, out in zip(both, said, strict=True)
        ]


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(os.environ["RANK"]))
    leave(0)
