"""What scores cost beside the forward pass that they read, k-NN beside scikit-learn's, and all beside pytorch-ood's detectors.

Run `python benchmarks/detection_speed.py [--images 10000] [--bank 50000] [--rounds 3] [--out speed.json]`, on one thread. Sides
take turns within a round, so that other work hits them alike; all times are seconds of the processor, medians over rounds, and
what is told are ratios. Images are made up, 3×32×32, and the network is ResNet-20 (64 features) with random weights.

- scores: every detector of logits and features but k-NN, fitted before, on in-distribution and as many foreign images, with the
  forward pass that they share, over a forward pass alone. The bound is 1.15.
- knn: an exhaustive search over the bank for all images, over scikit-learn's (brute force) on the same features.
- pytorch-ood: where it is installed, which takes an environment of its own (torchvision ties it to a torch build): `pip install
  torch==2.13.0 pytorch-ood`. Its detectors run one after another, each with forward passes of its own; over ours of the same
  methods, forward pass included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradlab.data import Split
from gradlab.detection import DETECTORS, KNN
from gradlab.detection.scoring import Scorer, read, wanted
from gradlab.models import build
from gradlab.training import predict_logits

SCORES = tuple(kind() for name, kind in DETECTORS.items() if "images" not in kind.needs and name != "knn")
SHARED = ("max-softmax", "max-logit", "energy", "entropy", "mahalanobis", "react", "vim")
"""Methods that pytorch-ood has as well."""


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor seconds of a call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def made_up(count: int, seed: int) -> Split:
    """Return random images with labels of ten classes."""
    stream = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), generator=stream, dtype=torch.uint8)
    return Split(pixels, torch.arange(count) % 10, "train")


def sides(images: int, bank: int) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by name."""
    network = build("resnet20", seed=0).eval()
    sets = [made_up(images, seed) for seed in (0, 1)]
    training = {
        "features": torch.rand(bank, 64, generator=torch.Generator().manual_seed(2)),
        "labels": torch.arange(bank) % 10,
    }
    scorer, names = Scorer(SCORES, network, training=training), wanted(SCORES)
    features = torch.cat([read(network, one, names)["features"] for one in sets])
    fitted = KNN().fit(training["features"])
    from sklearn.neighbors import NearestNeighbors

    kind: Any = NearestNeighbors
    search = kind(n_neighbors=50, algorithm="brute").fit(fitted.bank)
    unit = (features / features.norm(dim=1, keepdim=True)).numpy()
    found = {
        "forward": lambda: [predict_logits(network, one) for one in sets],
        "scores": lambda: [scorer.all(read(network, one, names)) for one in sets],
        "knn": lambda: fitted.score(features),
        "scikit-learn": lambda: search.kneighbors(unit),
    }
    return found | peers(network, sets, training)


def peers(
    network: torch.nn.Module, sets: list[Split], training: dict[str, Any]
) -> dict[str, Callable[[], Any]]:
    """Return pytorch-ood's detectors, and ours of the same methods; nothing where it is not installed."""
    try:
        from pytorch_ood import detector as theirs
    except ImportError:
        return {}
    hook: dict[str, torch.Tensor] = {}
    network.linear.register_forward_pre_hook(lambda _, inputs: hook.update(z=inputs[0]))

    def features(pictures: torch.Tensor) -> torch.Tensor:
        network(pictures)
        return hook["z"]

    mahalanobis = theirs.Mahalanobis(features).fit_features(training["features"], training["labels"])
    weight, bias = network.linear.weight.detach(), network.linear.bias.detach()
    vim = theirs.ViM(features, d=32, w=weight, b=bias).fit_features(training["features"], training["labels"])
    react = theirs.ReAct(features, head=network.linear, threshold=float(training["features"].quantile(0.9)))
    made = [
        theirs.MaxSoftmax(network),
        theirs.MaxLogit(network),
        theirs.EnergyBased(network),
        theirs.Entropy(network),
    ]
    ours = tuple(DETECTORS[name]() for name in SHARED)
    scorer, names = Scorer(ours, network, training=training), wanted(ours)

    @torch.no_grad()
    def run() -> None:
        for one in (*made, mahalanobis, react, vim):
            for split in sets:
                for start in range(0, len(split), 1000):
                    one.predict(split.images[start : start + 1000].float() / 255)

    return {"pytorch-ood": run, "ours": lambda: [scorer.all(read(network, one, names)) for one in sets]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("images", 10_000), ("bank", 50_000), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    timed = sides(asked.images, asked.bank)
    times: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(asked.rounds):
        for name, work in timed.items():
            times[name].append(seconds(work))
    medians = {name: statistics.median(one) for name, one in times.items()}
    ratios = {
        "scores over a forward pass": [b / a for a, b in zip(times["forward"], times["scores"], strict=True)],
        "k-NN over scikit-learn's": [a / b for a, b in zip(times["knn"], times["scikit-learn"], strict=True)],
    }
    if "pytorch-ood" in times:
        pairs = zip(times["ours"], times["pytorch-ood"], strict=True)
        ratios[f"{len(SHARED)} methods over pytorch-ood's"] = [a / b for a, b in pairs]
    for name, value in medians.items():
        print(f"{name:14} {value:8.2f} s of the processor")
    for name, values in ratios.items():
        print(f"{name}: {np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})")
    if asked.out:
        asked.out.write_text(
            json.dumps({"seconds": times, "ratios": ratios, **vars(asked) | {"out": None}}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
