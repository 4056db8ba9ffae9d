"""Data sets as tensors."""

from __future__ import annotations

from pathlib import Path

import torch

from gradlab.data.contents import Arrays
from gradlab.data.datasets import Dataset
from gradlab.data.reading import arrays
from gradlab.data.registry import Role
from gradlab.data.splits import Origin, Split


def load(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> Dataset:
    """Load a data set: train, validation and test in memory, decoded once and cached.

    Args:
        name_or_path: a name such as "digits" or "cifar100-coarse" (`-` and `_` alike), the name of a folder in the data
            directory, or the path of a folder of class folders or of Parquet files.
        data_dir: folder of data sets; GRADLAB_DATA where not given, then the cache, then the Hugging Face Hub.
        size: (H, W) that images of one's own are resized to; the most common size where not given.
        cache_dir: folder for decoded arrays; GRADLAB_CACHE or the platform's cache where not given.

    Raises:
        UserError: not found or not readable; one sentence that says what to do.
    """
    return as_tensors(arrays(name_or_path, data_dir, size=size, cache_dir=cache_dir))


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
