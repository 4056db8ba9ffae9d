"""What studies of detection hold apart: in-distribution data, and near, far and generated foreign sets for them."""

from __future__ import annotations

from gradlab.data import DATASETS, parse
from gradlab.detection import overlapping_classes
from gradlab.detection.outliers import NAME
from gradlab.studies.setup import Setup
from gradlab.types import UserError

NEAR, PHOTOS, NOISE = "classes left out", "photographs", "noise"
SETS = {
    "cifar10": {"CIFAR-100": "cifar100", "MNIST": "mnist", "textures": "textures"},
    "mnist": {"Fashion-MNIST": "fashion-mnist"},
}
"""Data -> real foreign sets beside it, by what they are called; of other data patches of photographs."""
TUNED_ON = {"cifar10": "imagenette"}
"""Data -> what detectors are tuned on, of another source than all that is reported; of other data images made of its own."""
IMAGES = 2_000
"""Test images of each set, at most."""


def in_distribution(setup: Setup) -> str:
    """Return what the network is trained on: all of data that have foreign sets of their own, else all classes but two.

    Raises:
        UserError: too few classes to leave two out.
    """
    if has_near(setup):
        return setup.data
    if setup.class_count < 4:
        raise UserError(
            f"two classes are left out as foreign ones, which takes at least four, got {setup.class_count}."
        )
    return f"{setup.data}[0-{setup.class_count - 3}]"


def has_near(setup: Setup) -> bool:
    """Whether a near set of its own stands beside the data."""
    return parse(setup.data)[0] == "cifar10"


def foreign(setup: Setup) -> dict[str, str]:
    """Return name -> how it is called, the near set first: real images, then normal noise; all of the network's shape."""
    shape = f"@{setup.image_size}:{'grey' if setup.channels == 1 else 'rgb'}"
    found = (
        {} if has_near(setup) else {f"{setup.data}[{setup.class_count - 2},{setup.class_count - 1}]": NEAR}
    )
    for told, name in SETS.get(parse(setup.data)[0], {PHOTOS: "photos"}).items():
        found[f"{_without_kin(setup, name)}{shape}"] = told
    return found | {f"gaussian-noise{shape}": NOISE}


def tuned_on(setup: Setup) -> str | None:
    """Return the data that detectors are tuned on; None where they are tuned on images made of validation images."""
    name = TUNED_ON.get(parse(setup.data)[0])
    shape = f"@{setup.image_size}:{'grey' if setup.channels == 1 else 'rgb'}"
    return None if name is None else f"{_without_kin(setup, name)}#100{shape}"


def tuning_words(setup: Setup) -> str:
    """Say what detectors are tuned on."""
    return f"tuned on validation images of its own and, as foreign ones, on {tuned_on(setup) or NAME}"


def _without_kin(setup: Setup, name: str) -> str:
    """Leave out the classes of foreign data that mean the same as one that the network knows."""
    known = DATASETS.get(parse(setup.data)[0])
    names = DATASETS[name].class_names
    kin = overlapping_classes(known.class_names, names) if known else {}
    if not kin:
        return name
    kept = [number for number, one in enumerate(names) if one not in kin]
    return f"{name}[{','.join(_ranges(kept))}]"


def _ranges(numbers: list[int]) -> list[str]:
    """Write ascending numbers with ranges.

    >>> _ranges([0, 1, 2, 4, 6, 7])
    ['0-2', '4', '6-7']
    """
    starts = [one for one in numbers if one - 1 not in numbers]
    ends = [one for one in numbers if one + 1 not in numbers]
    return [str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True)]
