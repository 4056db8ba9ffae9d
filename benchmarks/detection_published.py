"""The published ResNet-20 of CIFAR-10 beside OpenOOD's table: five detectors with OpenOOD's fixed values on near and far sets.

Run `python benchmarks/detection_published.py [--weights FILE] [--images 2000] [--bank 50000] [--out detection.json]` with
CIFAR-10, CIFAR-100, Tiny-ImageNet, MNIST, Fashion-MNIST and textures where they can be found (GRADLAB_DATA); some minutes on one
core. FILE is `cifar10_resnet20.safetensors`, which docs/models.md names, by default in the folder `weights` of the data; without
it nothing is run. Fixed, as in OpenOOD v1.5's configurations: energy T = 1, ODIN T = 1000 and eps = 0.0014, k-NN k = 50; nothing
is tuned.

OpenOOD's table is of ResNet-18, trained three times (95.06 % accuracy), with SVHN and Places365 among the far sets and without
Fashion-MNIST; so orders are compared, not numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from gradlab.data import DATASETS, Dataset, Split, draw, load
from gradlab.detection import (
    KNN,
    ODIN,
    DetectionTable,
    Energy,
    MaxLogit,
    MaxSoftmax,
    evaluate,
    overlapping_classes,
)
from gradlab.models import build, load_weights

DETECTORS = (MaxSoftmax(), MaxLogit(), Energy(), ODIN(temperature=1000, eps=0.0014), KNN(k=50))
WEIGHTS = "weights/cifar10_resnet20.safetensors"
NEAR, FAR = ("cifar100", "tiny-imagenet"), ("mnist", "fashion-mnist", "textures")
OPENOOD = {
    "max-softmax": (88.03, 90.73),
    "max-logit": (87.52, 91.10),
    "energy": (87.58, 91.21),
    "odin": (82.87, 87.96),
    "knn": (90.64, 92.96),
}
"""OpenOOD v1.5, CIFAR-10, ResNet-18, means of three trainings: AUROC on near and far sets."""


def some(split: Split, count: int) -> Split:
    """Return at most so many images, with the class shares of the whole."""
    return split if count >= len(split) else split[draw(split.labels, count, seed=0)]


def foreign(name: str, known: tuple[str, ...]) -> Dataset:
    """Load foreign images at CIFAR-10's shape, without classes that mean the same; CIFAR-100 whole, as OpenOOD has it."""
    names = DATASETS[name].class_names
    kin = overlapping_classes(known, names) if name == "tiny-imagenet" else {}
    kept = ",".join(str(number) for number, one in enumerate(names) if one not in kin)
    return load(f"{name}[{kept}]@32:rgb" if kin else f"{name}@32:rgb")


def measure(weights: Path, images: int, bank: int) -> DetectionTable:
    """Evaluate all detectors on all sets."""
    network = load_weights(build("resnet20"), weights).eval()
    data = load("cifar10")
    train, test = (some(split, count) for split, count in ((data.train, bank), (data.test, images)))
    known = Dataset("cifar10", train, data.validation, test, data.class_names)
    sets = {name: some(foreign(name, known.class_names).test, images) for name in (*NEAR, *FAR)}
    return evaluate(network, known, sets, DETECTORS)


def means(table: DetectionTable, what: str) -> dict[str, tuple[float, float]]:
    """Return the mean over near and over far sets of every detector, in percent."""
    kinds = [one.kind for one in DETECTORS]
    return {
        kind: tuple(
            100 * float(np.mean([getattr(table[kind, name], what) for name in sets])) for sets in (NEAR, FAR)
        )  # type: ignore[misc]
        for kind in kinds
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=Path(os.environ.get("GRADLAB_DATA", ".")) / WEIGHTS)
    parser.add_argument("--images", type=int, default=2_000)
    parser.add_argument("--bank", type=int, default=50_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if not asked.weights.is_file():
        print(f"{asked.weights} is not there; nothing is run.")
        return
    begun = time.process_time()
    table = measure(asked.weights, asked.images, asked.bank)
    print(table)
    found, fpr = means(table, "auroc"), means(table, "fpr95_out")
    print(f"\n{'AUROC':12} {'near':>6} {'far':>6}   OpenOOD: near, far   FPR95 (foreign positive): near, far")
    for kind, (near, far) in found.items():
        other = OPENOOD[kind]
        print(
            f"{kind:12} {near:6.2f} {far:6.2f}   {other[0]:12.2f} {other[1]:6.2f}   {fpr[kind][0]:20.2f} {fpr[kind][1]:6.2f}"
        )
    print(f"{time.process_time() - begun:.0f} seconds of the processor")
    if asked.out:
        asked.out.write_text(json.dumps(table.as_record() | {"near and far": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
