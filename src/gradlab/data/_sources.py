"""What a source hands over before decoding: encoded images, labels and class names of each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradlab.data._decode import Read
from gradlab.data._facts import Labels
from gradlab.data.registry import Entry, Role
from gradlab.types import UserError

ROLE_NAMES: dict[str, Role] = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
"""Names that files and folders give to a part."""


@dataclass(frozen=True)
class Encoded:
    """One part, still encoded: `read(i)` gives the bytes of image i, `names[i]` says where it comes from."""

    read: Read
    names: Sequence[str]
    labels: Labels


@dataclass(frozen=True)
class Raw:
    """All parts of a source."""

    parts: dict[Role, Encoded]
    class_names: tuple[str, ...]


class Source(Protocol):
    """Files that can be read as images with labels."""

    @property
    def root(self) -> Path:
        """The folder or file that a person named."""

    @property
    def files(self) -> dict[Role, list[Path]]:
        """The files of each part, in order."""

    def read(self, entry: Entry | None) -> Raw:
        """Read labels and encoded images; `entry` where the data set has a registered name."""


def check_labels(labels: NDArray[np.int64], class_names: Sequence[str], where: str) -> None:
    """Refuse labels outside [0, K)."""
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise UserError(
            f"Labels must be whole numbers from 0 to {len(class_names) - 1}, one per class, but {where} has "
            f"{labels.min()} to {labels.max()}; renumber them."
        )
