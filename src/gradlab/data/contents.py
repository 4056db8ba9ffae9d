"""What a data set holds, as NumPy arrays and plain facts (no torch)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradlab.data._facts import Images, Labels
from gradlab.data.registry import Role

if TYPE_CHECKING:
    from gradlab.data.datasets import Dataset


@dataclass(frozen=True)
class DataInfo:
    """Facts about a data set.

    Attributes:
        name: as asked for; the folder's or file's own name for a path.
        checksum: "sha256:..." over decoded pixels, labels, parts and class names.
        counts: images of each part that exists.
        input_shape: (C, H, W).
        class_names: in label order.
        mean: of each channel over train, on the [0, 1] scale; empty without train.
        std: population standard deviation, likewise; 1 for a constant channel.
        notes: sentences about what was done to the data or found in them.
        digests: SHA-256 of each part, in hexadecimal.
    """

    name: str
    checksum: str
    counts: dict[str, int]
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    notes: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


@dataclass(frozen=True, eq=False)
class Part:
    """One part: images (N, C, H, W) uint8 and labels (N,) int64 in [0, K)."""

    images: Images
    labels: Labels


@dataclass(frozen=True, eq=False)
class Arrays:
    """A data set as NumPy arrays; a part that does not exist is absent from `parts`."""

    info: DataInfo
    parts: dict[Role, Part]


def info_of(data: Dataset) -> DataInfo:
    """Return the facts about a data set in memory."""
    return DataInfo(
        name=data.name,
        checksum=data.checksum,
        counts={role: len(split) for role, split in data.splits.items()},
        input_shape=data.input_shape,
        class_names=data.class_names,
        mean=data.mean,
        std=data.std,
        notes=data.notes,
    )
