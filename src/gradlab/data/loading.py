"""Data sets as tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, overload

import torch

from gradlab.data.contents import Arrays, Texts
from gradlab.data.datasets import Dataset
from gradlab.data.reading import read
from gradlab.data.registry import Holds, Role
from gradlab.data.splits import Origin, Split
from gradlab.data.text_datasets import TextDataset, TextSplit
from gradlab.types import UserError


@overload
def load(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
    expect: str | None = None,
    holds: Literal["images"],
) -> Dataset: ...
@overload
def load(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
    expect: str | None = None,
    holds: Literal["text"],
) -> TextDataset: ...
@overload
def load(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
    expect: str | None = None,
    holds: None = None,
) -> Any: ...
def load(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
    expect: str | None = None,
    holds: Holds | None = None,
) -> Dataset | TextDataset:
    """Load a data set: train, validation and test in memory; images are decoded once and cached.

    Args:
        name_or_path: a name such as "digits" or "cifar100-coarse" (`-` and `_` alike), the name of a folder in the data
            directory, or the path of a folder of class folders or of Parquet or CSV files; behind it what is made of
            it, such as "digits[0-7]", "mnist#100" or "cifar10@16:grey" (see `gradlab.data.derivation`).
        data_dir: folder of data sets; GRADLAB_DATA where not given, then the cache, then the Hugging Face Hub.
        size: (H, W) that images of one's own are resized to; the most common size where not given.
        cache_dir: folder for decoded arrays; GRADLAB_CACHE or the platform's cache where not given.
        expect: the checksum that the data must have, as `info` gave it before.
        holds: "images" or "text" where only these will do; another kind of data is refused.
    Returns: a Dataset of images or a TextDataset of sentences.

    Raises:
        UserError: not found, not readable, changed, or of the other kind; one sentence that says what to do.
    """
    found = read(name_or_path, data_dir, size=size, cache_dir=cache_dir)
    facts = found.info
    if expect is not None and facts.checksum != expect:
        raise UserError(
            f"Data '{facts.name}' has changed: its checksum is {facts.checksum}, expected {expect}; bring the former "
            "data back, or ask again for the data as they are now."
        )
    if holds is not None and facts.holds != holds:
        held, needed = _THINGS[facts.holds], _THINGS[holds]
        raise UserError(
            f"'{facts.name}' holds {held} where {needed} are needed; name a data set of {needed}."
        )
    return as_text(found) if isinstance(found, Texts) else as_tensors(found)


_THINGS = {"images": "images", "text": "sentences"}


def as_text(data: Texts) -> TextDataset:
    """Wrap sentences as a data set."""
    facts = data.info

    def split(role: Role) -> TextSplit | None:
        part = data.parts.get(role)
        if part is None:
            return None
        origin = Origin(facts.name, role, facts.digests[role])
        return TextSplit(tuple(part.texts), torch.from_numpy(part.labels), role, origin)

    return TextDataset(
        facts.name, split("train"), split("validation"), split("test"), facts.class_names, facts.notes
    )


def as_tensors(data: Arrays) -> Dataset:
    """Wrap arrays, without copying them, as a data set of tensors."""
    facts = data.info

    def split(role: Role) -> Split | None:
        part = data.parts.get(role)
        if part is None:
            return None
        mean, std = (facts.mean, facts.std) if role == "train" else ((), ())
        origin = Origin(facts.name, role, facts.digests[role], mean, std)
        return Split(torch.from_numpy(part.images), torch.from_numpy(part.labels), role, origin)

    return Dataset(
        facts.name, split("train"), split("validation"), split("test"), facts.class_names, facts.notes
    )
