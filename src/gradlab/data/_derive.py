"""Carries out a derivation: classes, number per class, size and channels, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradlab.data import _describe, _resampling
from gradlab.data._divide import AnyPart
from gradlab.data._facts import Images, Labels, is_about_copies
from gradlab.data._limits import check_decoded
from gradlab.data._partition import PARTITION_SEED
from gradlab.data.contents import Arrays, DataInfo, Part, Texts
from gradlab.data.derivation import Derivation, class_numbers
from gradlab.data.registry import Role
from gradlab.types import UserError

_LUMA = np.array([19_595, 38_470, 7_471], dtype=np.uint32)
"""0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) in units of 2**-16."""
_BLOCK = 4096
"""Images that are converted at a time."""


def derive_images(source: Arrays, derivation: Derivation) -> Arrays:
    """Return the derived data set, with facts and notes of its own.

    Raises:
        UserError: no such class, nothing left, or too much to hold in memory.
    """
    parts, class_names, notes = _select(source.parts, source.info, derivation)
    height, width = source.info.input_shape[1:]
    if derivation.size and derivation.size != (height, width):
        parts = {role: _resized(part, derivation.size) for role, part in parts.items()}
        notes.append(_resampling.resampling_note((height, width), derivation.size))
    if derivation.channels == "grey" and source.info.input_shape[0] == 3:
        parts = {role: Part(grey(part.images), part.labels) for role, part in parts.items()}
        notes.append("The images were made grey (0.299 red + 0.587 green + 0.114 blue).")
    if derivation.channels == "rgb" and source.info.input_shape[0] == 1:
        parts = {role: Part(np.repeat(part.images, 3, axis=1), part.labels) for role, part in parts.items()}
        notes.append("The grey images were given three equal channels.")
    return _describe.images(f"{source.info.name}{derivation}", parts, class_names, notes)


def derive_texts(source: Texts, derivation: Derivation) -> Texts:
    """Return the derived data set; size and channels are refused."""
    refuse_pixels(source.info.name, derivation)
    parts, class_names, notes = _select(source.parts, source.info, derivation)
    return _describe.texts(f"{source.info.name}{derivation}", parts, class_names, notes)


def refuse_pixels(name: str, derivation: Derivation) -> None:
    """Refuse a size or channels for sentences."""
    if derivation.size or derivation.channels:
        raise UserError(f"'{name}' holds sentences, which have no size or channels; leave @ and : out.")


def grey(images: Images) -> Images:
    """Turn (N, 3, H, W) uint8 RGB into (N, 1, H, W) by its luma, rounded, as Pillow does."""
    result = np.empty((len(images), 1, *images.shape[2:]), dtype=np.uint8)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].astype(np.uint32)
        result[start : start + _BLOCK, 0] = (np.einsum("nchw,c->nhw", block, _LUMA) + 0x8000) >> 16
    return result


def _resized(part: Part, size: tuple[int, int]) -> Part:
    check_decoded(len(part.images), part.images.shape[1], size)
    return Part(_resampling.resample(part.images, size), part.labels)


def _select(
    parts: Mapping[Role, AnyPart], facts: DataInfo, derivation: Derivation
) -> tuple[dict[Role, AnyPart], tuple[str, ...], list[str]]:
    """Keep some classes, renumbered from 0, and so many of each; returns parts, class names and notes."""
    notes = [note for note in facts.notes if not is_about_copies(note)]
    names, chosen = facts.class_names, dict(parts)
    if derivation.classes:
        kept = class_numbers(derivation.classes, names, facts.name)
        chosen = {role: _of_classes(part, kept, len(names)) for role, part in parts.items()}
        notes.append(
            f"Only {len(kept)} of {len(names)} classes are kept, renumbered from 0: {','.join(derivation.classes)}."
        )
        names = tuple(names[label] for label in kept)
    if derivation.per_class:
        most = derivation.per_class
        chosen = {role: part.take(few_of_each(part.labels, most)) for role, part in chosen.items()}
        notes.append(f"At most {most:,} of each class are kept in each part, fixed.")
    chosen = {role: part for role, part in chosen.items() if len(part.labels)}
    if not chosen:
        raise UserError(f"'{facts.name}{derivation}' has no image or sentence; name other classes.")
    return chosen, names, notes


def _of_classes(part: AnyPart, kept: list[int], class_count: int) -> AnyPart:
    number = np.full(class_count, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    rows = number[part.labels] >= 0
    one = part.take(rows)
    return replace(one, labels=number[one.labels])


def few_of_each(labels: Labels, most: int, seed: int = PARTITION_SEED) -> NDArray[np.bool_]:
    """Choose at most `most` rows of each class: those that the raw stream of PCG64 ranks first.

    So the rows of `#10` are among those of `#100`.

    Args:
        labels: (N,) integers in [0, K). most: of each class. seed: of the ranking.
    Returns: (N,) True where a row is chosen.
    """
    keys = np.random.PCG64(seed).random_raw(len(labels))
    order = np.lexsort((keys, labels))
    counts = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = np.zeros(len(labels), dtype=np.bool_)
    chosen[order[rank < most]] = True
    return chosen
