"""What a data set holds, as NumPy arrays and plain facts (no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradlab.data._facts import Images, Labels
from gradlab.data.registry import Holds, Role

Rows = NDArray[np.bool_] | NDArray[np.int64]
"""Which rows of a part: a mask, or positions."""

if TYPE_CHECKING:
    from gradlab.data.datasets import Dataset
    from gradlab.data.text_datasets import TextDataset


@dataclass(frozen=True)
class DataInfo:
    """Facts about a data set.

    Attributes:
        name: as asked for; the folder's or file's own name for a path.
        checksum: "sha256:..." over decoded pixels or sentences, labels, parts and class names.
        counts: images or sentences of each part that exists.
        input_shape: (C, H, W); () for text.
        class_names: in label order.
        mean: of each channel over train, on the [0, 1] scale; empty without train.
        std: population standard deviation, likewise; 1 for a constant channel.
        notes: sentences about what was done to the data or found in them.
        digests: SHA-256 of each part, in hexadecimal.
        holds: "images" or "text".
    """

    name: str
    checksum: str
    counts: dict[str, int]
    input_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    notes: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)
    holds: Holds = "images"

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


@dataclass(frozen=True, eq=False)
class Part:
    """One part: images (N, C, H, W) uint8 and labels (N,) int64 in [0, K)."""

    images: Images
    labels: Labels

    def take(self, rows: Rows) -> Part:
        """Return the rows named by a mask or by positions."""
        return Part(self.images[rows], self.labels[rows])


@dataclass(frozen=True, eq=False)
class TextPart:
    """One part: N sentences and labels (N,) int64 in [0, K)."""

    texts: Sequence[str]
    labels: Labels

    def take(self, rows: Rows) -> TextPart:
        """Return the rows named by a mask or by positions."""
        positions = np.arange(len(self.texts))[rows]
        return TextPart(tuple(self.texts[i] for i in positions), self.labels[rows])


@dataclass(frozen=True, eq=False)
class Arrays:
    """A data set of images as NumPy arrays; a part that does not exist is absent from `parts`."""

    info: DataInfo
    parts: dict[Role, Part]

    def renamed(self, name: str) -> Arrays:
        """Return the same data under another name."""
        return replace(self, info=replace(self.info, name=name))


@dataclass(frozen=True, eq=False)
class Texts:
    """A data set of sentences; a part that does not exist is absent from `parts`."""

    info: DataInfo
    parts: dict[Role, TextPart]

    def renamed(self, name: str) -> Texts:
        """Return the same data under another name."""
        return replace(self, info=replace(self.info, name=name))


def info_of(data: Dataset | TextDataset) -> DataInfo:
    """Return the facts about a data set in memory, of images or of sentences."""
    common: Any = {
        "name": data.name,
        "checksum": data.checksum,
        "counts": {role: len(split) for role, split in data.splits.items()},
        "class_names": data.class_names,
        "notes": data.notes,
    }
    if getattr(data, "input_shape", None) is None:
        return DataInfo(**common, input_shape=(), mean=(), std=(), holds="text")
    return DataInfo(**common, input_shape=data.input_shape, mean=data.mean, std=data.std)  # type: ignore[union-attr]
