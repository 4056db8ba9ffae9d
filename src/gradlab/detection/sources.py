"""Where foreign data come from, and which of their classes mean the same as one that the network knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gradlab.data.derivation import parse
from gradlab.data.registry import normalise
from gradlab.types import UserError

SOURCES = {
    "tiny-imagenet": "ImageNet",
    "imagenette": "ImageNet",
    "cifar100-coarse": "cifar100",
    "noise": "noise",
    "gaussian-noise": "noise",
}
"""Data sets that were made from the same images, or in the same way."""
KIN: dict[str, tuple[str, ...]] = {
    "airplane": ("plane", "airliner", "warplane", "jet"),
    "automobile": (
        "car", "convertible", "sports car", "beach wagon", "limousine", "police van", "bus", "streetcar", "school bus",
        "trolleybus", "cab", "jeep", "vehicles 1",
    ),
    "bird": ("goose", "black stork", "king penguin", "albatross", "hen", "ostrich", "owl", "eagle", "parrot"),
    "cat": ("tabby", "Persian cat", "Egyptian cat", "cougar", "lion", "tiger", "leopard", "kitten"),
    "deer": ("gazelle", "elk", "moose", "bighorn"),
    "dog": (
        "Chihuahua", "Yorkshire terrier", "golden retriever", "Labrador retriever", "German shepherd", "standard poodle",
        "English springer", "wolf", "fox", "puppy",
    ),
    "frog": ("bullfrog", "tailed frog", "tree frog", "toad"),
    "horse": ("pony", "zebra", "sorrel"),
    "ship": ("boat", "lifeboat", "gondola", "ocean liner", "speedboat", "warship"),
    "truck": (
        "pickup truck", "moving van", "garbage truck", "police van", "fire engine", "bus", "streetcar", "trolleybus",
        "tractor", "vehicles 1", "vehicles 2",
    ),
}  # fmt: skip
"""Class of CIFAR-10 -> names of classes elsewhere that are of it, or so near that people call them alike."""


def source_of(name: str) -> str:
    """Return what a data set was made from, by its name; derived data are of the source of their base.

    >>> source_of("tiny_imagenet[goose]@32"), source_of("cifar10")
    ('ImageNet', 'cifar10')
    """
    base = normalise(parse(name)[0])
    return SOURCES.get(base, base)


def refuse_shared_source(tuned_on: str, reported: Iterable[str]) -> None:
    """Refuse to tune on data whose source is that of a set which is reported.

    Raises:
        UserError: names both.
    """
    source = source_of(tuned_on)
    shared = [name for name in reported if source_of(name) == source]
    if shared:
        raise UserError(
            f"detectors are tuned on '{tuned_on}', and '{shared[0]}' comes from the same source ({source}), so its numbers "
            "would be too good; tune on other data, or do not report it."
        )


def overlapping_classes(known: Sequence[str], foreign: Sequence[str]) -> dict[str, str]:
    """Return foreign class -> known class of the same meaning, as far as names tell.

    Two classes overlap where their names are equal, where one ends in the other (pickup truck, truck), or where the
    table `KIN` of kinds, synonyms and near kin says so.

    >>> overlapping_classes(("cat", "truck", "ship"), ("Persian_cat", "pickup_truck", "apple"))
    {'Persian_cat': 'cat', 'pickup_truck': 'truck'}
    """
    found: dict[str, str] = {}
    for other in foreign:
        own = next((one for one in known if _overlap(_words(one), _words(other))), None)
        if own is not None:
            found[other] = own
    return found


def _overlap(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    shorter, longer = sorted((a, b), key=len)
    if not shorter:
        return False
    ends_alike = shorter == longer[-len(shorter) :] and not all(word.isdigit() for word in shorter)
    return a == b or ends_alike or _is_kin(a, b) or _is_kin(b, a)


def _is_kin(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return b in {_words(one) for one in KIN.get(" ".join(a), ())}


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", name.lower()))
