"""The data of the study of transfer: what the source network learns, and what it is then used for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradlab.data import DATASETS, Derivation, parse
from gradlab.studies.setup import Setup
from gradlab.types import UserError

SIDE = 16
"""Pixels a side to which larger images are reduced in the presets quick and standard."""
IMAGES = {"quick": (4_000, 2_000), "standard": (12_000, 10_000)}
"""Training images of source and target, about."""
TARGETS = {"cifar10": "cifar100"}
"""Data -> what the published labs transfer it to; of other data one half of the classes is transferred to the other."""


@dataclass(frozen=True)
class Pair:
    """Source and target, by name, and the number of classes of the target where it is known."""

    source: str
    target: str
    classes: int | None


def pair_of(setup: Setup, target: str | None = None) -> Pair:
    """Return what is learned first and what is learned then.

    Raises:
        UserError: too few classes to be halved, or a choice of classes already.
    """
    base, derived = parse(setup.data)
    if target is not None:
        return Pair(reduced(setup, setup.data, setup.class_count, 0), target, None)
    if base in TARGETS and not derived.classes:
        other = TARGETS[base]
        count = len(DATASETS[other].class_names)
        source = reduced(setup, setup.data, setup.class_count, 0)
        return Pair(source, reduced(setup, f"{other}{derived}", count, 1), count)
    if derived.classes or setup.class_count < 4:
        raise UserError(
            f"the study halves the classes of '{setup.data}' itself and needs at least four of them; give data of all their "
            "classes, or name other data with target=."
        )
    half, last = setup.class_count // 2, setup.class_count - 1
    names = (f"{base}{replace(derived, classes=(part,))}" for part in (f"0-{half - 1}", f"{half}-{last}"))
    source, other = (
        reduced(setup, name, count, place)
        for place, (name, count) in enumerate(zip(names, (half, last + 1 - half), strict=True))
    )
    return Pair(source, other, last + 1 - half)


def reduced(setup: Setup, name: str, classes: int, place: int) -> str:
    """Return fewer and smaller images of large data, as the presets quick and standard take them.

    Args:
        classes: of the data. place: 0 for what is learned first, 1 for what is learned then.
    """
    if setup.is_small or setup.preset == "full":
        return name
    base, derived = parse(name)
    found = derived
    if derived.size is None and setup.image_size > SIDE:
        found = replace(found, size=(SIDE, SIDE))
    if derived.per_class is None:
        found = replace(found, per_class=max(1, IMAGES[setup.preset][place] // classes))
    return f"{base}{found if found != Derivation() else ''}"


def deviations_of(setup: Setup, pair: Pair) -> tuple[str, ...]:
    """Say how this run differs from lab 004's setting, in which most of the claims were made."""
    if setup.preset == "full" and (pair.source, pair.target) == ("cifar10", "cifar100"):
        return ("no augmentation (the lab's crop and flip are not part of ours)",)
    data = f"{pair.source} to {pair.target} instead of cifar10 to cifar100"
    if setup.preset == "full":
        return (data,)
    net = "a CNN of two stages" if setup.is_small else "ResNet-8 with 78,000 parameters"
    return (data, f"{net} instead of nets at full resolution", "a few epochs instead of 33 to 100")
