"""What scores cost beside the forward pass that they read, k-NN beside scikit-learn's, and all beside pytorch-ood's detectors.

Run `OMP_NUM_THREADS=1 python benchmarks/detection_speed.py [--images 10000] [--bank 50000] [--peers 10000] [--out rows.json]`.
The network is the published ResNet-20 of CIFAR-10 (docs/models.md names its file; looked for in `weights` of GRADLAB_DATA), the
images are the test images of CIFAR-10 and as many of CIFAR-100, and the bank is CIFAR-10's training and validation images;
without the file the network has random weights, without the data the images are made up, and that is said.

Sides take turns on a thousand images of either set at a time, so that other work on the machine hits them alike. Times are
seconds of the processor; told are the medians over the turns of the times and of their ratios.

- scores: every detector of logits and features but k-NN, fitted before, with the forward pass that they share, over a forward
  pass alone. The bound is 1.15.
- k-NN: an exhaustive search for the 50th neighbour in the bank, over scikit-learn's (brute force) on the same features; told is
  also for how many images both find the same neighbour.
- pytorch-ood, in an environment of its own that has it beside gradlab's requirements: `pip install torch==2.13.0 torchvision
  pytorch-ood`. Its detectors run one after another, each with a forward pass of its own, over ours of the same methods,
  forward pass included; told is also the largest difference of scores, ours from theirs brought to our definition, as a share
  of the standard deviation of the score. `--peers` images of either set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _detection_peers import QUANTILE, SHARE, detectors_of_peers, package
from _rows import options, row, tell

from gradlab.data import Split, load
from gradlab.detection import ASH, DETECTORS, KNN, ReAct
from gradlab.detection.scoring import Scorer, read, wanted
from gradlab.models import build, load_weights
from gradlab.training import outputs, predict_logits
from gradlab.types import UserError

SCORES = tuple(kind() for name, kind in DETECTORS.items() if "images" not in kind.needs and name != "knn")
BLOCK = 1_000
NEIGHBOUR = 50
WEIGHTS = "weights/cifar10_resnet20.safetensors"


@dataclass(frozen=True, eq=False)
class Setting:
    """The network, both sets of images, and features and labels of the bank."""

    network: torch.nn.Module
    sets: tuple[Split, Split]
    bank: dict[str, Any]


def made_up(count: int, seed: int) -> Split:
    """Return random images with labels of ten classes."""
    stream = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), generator=stream, dtype=torch.uint8)
    return Split(pixels, torch.arange(count) % 10, "train")


def real(images: int, bank: int) -> tuple[Split, Split, list[Split]]:
    """Return test images of CIFAR-10 and of CIFAR-100, and the bank in parts."""
    known = load("cifar10")
    train, validation = known.trainable()
    assert known.test is not None
    parts = [train[:bank], *([] if validation is None else [validation[: max(0, bank - len(train))]])]
    foreign = load("cifar100").test
    assert foreign is not None
    return known.test[:images], foreign[:images], [one for one in parts if len(one)]


def prepare(images: int, bank: int) -> Setting:
    """Load or make up everything, and read the features of the bank."""
    file = Path(os.environ.get("GRADLAB_DATA", ".")) / WEIGHTS
    network = build("resnet20", seed=0).eval()
    if file.is_file():
        network = load_weights(network, file).eval()
    else:
        print(f"{file} is not there: the network has random weights")
    try:
        known, foreign, parts = real(images, bank)
    except UserError:
        print("CIFAR-10 or CIFAR-100 is not there: the images are made up")
        known, foreign, parts = made_up(images, 0), made_up(images, 1), [made_up(bank, 2)]
    features = torch.cat([outputs(network, part, batch_size=100).features for part in parts])
    labels = torch.cat([part.labels for part in parts])
    return Setting(network, (known, foreign), {"features": features, "labels": labels})


class Turns:
    """Processor seconds of every side in every turn."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """Run one turn of a side and return what it returns."""
        begun = time.process_time()
        found = work()
        self.seconds.setdefault(name, []).append(time.process_time() - begun)
        return found


def blocks(sets: Sequence[Split], most: int) -> list[Split]:
    """Cut both sets into blocks, in turn."""
    starts = range(0, min(most, len(sets[0])), BLOCK)
    return [one[start : min(start + BLOCK, most)] for start in starts for one in sets]


def measure_scores(setting: Setting, most: int, turns: Turns) -> torch.Tensor:
    """Time a forward pass alone and one with all scores; return the features (N, D)."""
    scorer, names = Scorer(SCORES, setting.network, training=setting.bank), wanted(SCORES)
    features = []
    for block in blocks(setting.sets, most):
        turns.run("a forward pass", lambda block=block: predict_logits(setting.network, block))
        reading = turns.run("scores", lambda block=block: _scored(scorer, setting.network, block, names))
        features.append(reading["features"])
    return torch.cat(features)


def _scored(scorer: Scorer, network: torch.nn.Module, block: Split, names: set[str]) -> dict[str, Any]:
    reading = read(network, block, names)
    return {**reading, "scores": scorer.all(reading)}


def measure_knn(bank: torch.Tensor, features: torch.Tensor, turns: Turns) -> dict[str, float]:
    """Time both exhaustive searches; return for how many images they agree."""
    from sklearn.neighbors import NearestNeighbors

    fitted = KNN(k=NEIGHBOUR).fit(bank)
    kind: Any = NearestNeighbors
    search = kind(n_neighbors=NEIGHBOUR, algorithm="brute").fit(fitted.bank)
    unit = (features.double() / features.double().norm(dim=1, keepdim=True)).numpy()
    same, gap = 0, 0.0
    for start in range(0, len(unit), BLOCK):
        rows = slice(start, start + BLOCK)
        own = turns.run("k-NN", lambda rows=rows: fitted.score(features[rows]))
        place = turns.run(
            "scikit-learn", lambda rows=rows: search.kneighbors(unit[rows].astype(np.float32))[1]
        )
        other = np.linalg.norm(unit[rows] - fitted.bank[place[:, -1]], axis=1)
        same += int((np.abs(own - other) < 1e-12).sum())
        gap = max(gap, float(np.abs(own - other).max()))
    return {"same neighbour": same / len(unit), "largest gap": gap}


def measure_peers(setting: Setting, most: int, turns: Turns) -> dict[str, float]:
    """Time pytorch-ood's detectors one after another, and ours of the same methods; return the largest differences."""
    theirs = package()
    if theirs is None:
        return {}
    peers = detectors_of_peers(theirs, setting.network, setting.bank["features"], setting.bank["labels"])
    own = {"react": ReAct(quantile=QUANTILE), "ash": ASH(share=SHARE)}
    ours = tuple(own.get(name) or DETECTORS[name]() for name in peers)
    scorer, names = Scorer(ours, setting.network, training=setting.bank), wanted(ours)
    found: dict[str, list[tuple[Any, Any]]] = {name: [] for name in peers}
    for block in blocks(setting.sets, most):
        pictures = block.images.float() / 255
        with torch.no_grad():
            other = turns.run(
                "pytorch-ood", lambda pictures=pictures: [run(pictures) for run, _ in peers.values()]
            )
        mine = turns.run("ours", lambda block=block: _scored(scorer, setting.network, block, names))["scores"]
        for name, a, b in zip(peers, mine, other, strict=True):
            found[name].append((a, peers[name][1](b.double()).numpy()))
    return {name: _difference(pairs) for name, pairs in found.items()}


def _difference(pairs: list[tuple[Any, Any]]) -> float:
    a, b = (np.concatenate(one) for one in zip(*pairs, strict=True))
    return float(np.abs(a - b).max() / a.std())


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, images=10_000, bank=50_000, peers=10_000).parse_args()
    torch.set_num_threads(1)
    setting, turns = prepare(asked.images, asked.bank), Turns()
    features = measure_scores(setting, asked.images, turns)
    found: dict[str, Any] = {"k-NN": measure_knn(setting.bank["features"], features, turns)}
    found["differences"] = measure_peers(setting, asked.peers, turns)
    count, times = len(setting.sets[0]), turns.seconds
    rows = [
        row(f"{len(SCORES)} scores of {BLOCK:,} images, forward pass included", times, "a forward pass", own="scores", unit="s",
            floor="a forward pass", at_least=1 / 1.15),
        row(f"k-NN of {BLOCK:,} images in {len(setting.bank['labels']):,}", times, "scikit-learn", own="k-NN", unit="s"),
    ]  # fmt: skip
    if found["differences"]:
        what = f"{len(found['differences'])} methods, {min(BLOCK, count):,} images"
        rows.append(row(what, times, "pytorch-ood", own="ours", unit="s"))
    tell(rows, asked.out, **found)
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
