"""Where foreign data come from, and which of their classes mean the same as one that the network knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gradlab.data.derivation import Derivation, class_numbers, parse
from gradlab.data.registry import DATASETS, normalise
from gradlab.types import UserError

UNNAMED = "tensors"
"""What data of tensors are called where nobody names them."""
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
    base = normalise(read_name(name)[0])
    return SOURCES.get(base, base)


def read_name(name: str) -> tuple[str, Derivation]:
    """Split a name as `parse` does; what is no name of derived data, such as "a@b", is whole."""
    try:
        return parse(name)
    except UserError:
        return name, Derivation()


def names_of_classes(name: str) -> tuple[str, ...]:
    """Return the classes of catalogued data by their name, also of derived ones; none of other data.

    >>> names_of_classes("cifar10[0,1]@16"), names_of_classes("mine")
    (('airplane', 'automobile'), ())
    """
    base, derivation = read_name(name)
    known = DATASETS.get(normalise(base))
    if known is None or not derivation.classes:
        return () if known is None else known.class_names
    return tuple(known.class_names[one] for one in class_numbers(derivation.classes, known.class_names, base))


def refuse_known(known: str, known_classes: Sequence[str], name: str, classes: Sequence[str]) -> None:
    """Refuse to tune on what the network knows: data of the same source, or classes of the same meaning.

    Args:
        known: name of the in-distribution data; known_classes: of these. name: of what is tuned on; classes: of these. Classes
            that are mere numbers, of data in no catalogue, mean nothing.

    Raises:
        UserError: names both, or the classes.
    """
    source = source_of(name)
    if source == source_of(known) != UNNAMED:
        raise UserError(
            f"detectors are tuned on '{name}' as foreign images, and '{known}', which the network knows, comes from the same "
            f"source ({source}); tune on other data, or leave tune_on out."
        )
    if all(one.isdigit() for one in classes) and not names_of_classes(name):
        return
    shared = overlapping_classes(known_classes, classes)
    if shared:
        told = ", ".join(f"{other} ({own})" for other, own in shared.items())
        raise UserError(
            f"detectors are tuned on '{name}' as foreign images, and some of its classes mean the same as known ones: {told}; "
            "leave these out, such as NAME[a,b]."
        )


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
