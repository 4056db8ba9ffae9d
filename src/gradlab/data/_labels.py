"""Labels of every type to class numbers, and class names that can be shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gradlab.data._facts import Labels
from gradlab.data._limits import shown
from gradlab.types import UserError

LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target")
LONGEST_NAME = 500
"""Characters of a class name."""


def check_class_names(names: Iterable[str], where: object) -> None:
    """Refuse class names that cannot be shown or stored, in one sentence.

    Raises:
        UserError: empty, longer than 500 characters, no UTF-8, or with control characters.
    """
    for name in names:
        printable = repr(shown(name))[1:-1]
        if not name.strip():
            raise UserError(f"{shown(where)} has a class without a name; name it.")
        if len(name) > LONGEST_NAME:
            raise UserError(
                f"{shown(where)} has a class name of {len(name):,} characters ({printable[:20]}…); shorten it."
            )
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise UserError(f"The class '{printable}' of {shown(where)} is not UTF-8; rename it.")
        if any(unicodedata.category(letter) == "Cc" for letter in name):
            raise UserError(f"The class '{printable}' of {shown(where)} has control characters; rename it.")


def names_from(values: Sequence[str] | Sequence[int], where: object) -> tuple[str, ...]:
    """Class names of the different labels of a source without names of its own: texts in order, or 0 to K - 1.

    Raises:
        UserError: numbers that do not run from 0 to K - 1.
    """
    texts = sorted(value for value in values if isinstance(value, str))
    if texts:
        return tuple(texts)
    numbers = sorted(value for value in values if isinstance(value, int))
    if numbers != list(range(len(numbers))):
        raise UserError(
            f"Labels must be whole numbers from 0 to K - 1, one per class, but {shown(where)} has {len(numbers)} "
            f"different ones from {numbers[0]} to {numbers[-1]}; renumber them."
        )
    return tuple(map(str, numbers))


def numbers_of(texts: Sequence[str], names: Sequence[str], where: object) -> Labels:
    """Class numbers of labels that are texts.

    Raises:
        UserError: a text that is no class name.
    """
    index = {name: i for i, name in enumerate(names)}
    unknown = next((text for text in texts if text not in index), None)
    if unknown is not None:
        raise UserError(
            f"{shown(where)} has the label '{shown(unknown)[:50]}', which is none of the classes "
            f"{', '.join(names[:10])}; every part needs the classes of train."
        )
    return np.array([index[text] for text in texts], dtype=np.int64)


def check_labels(labels: NDArray[np.int64], class_names: Sequence[str], where: object) -> None:
    """Refuse labels outside [0, K)."""
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise UserError(
            f"Labels must be whole numbers from 0 to {len(class_names) - 1}, one per class, but {shown(where)} has "
            f"{labels.min()} to {labels.max()}; renumber them."
        )


def check_two_classes(
    labels: Sequence[Labels], class_names: Sequence[str], root: Path, things: str = "images"
) -> None:
    """Refuse a source whose first part has one class only."""
    if len(class_names) < 2 or len(np.unique(labels[0])) < 2:
        only = class_names[int(labels[0][0])]
        raise UserError(
            f"{shown(root)} has {things} of one class only ('{shown(only)}'); a classifier needs at least two."
        )


def plain(names: Iterable[str]) -> list[str]:
    """Class names without what spelling may change."""
    return [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
