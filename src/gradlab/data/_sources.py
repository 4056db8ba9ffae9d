"""What a source hands over before decoding: encoded images or sentences, labels and class names of each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gradlab.data._decode import Read
from gradlab.data._facts import Labels
from gradlab.data.contents import TextPart
from gradlab.data.registry import Entry, Role

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
    """All parts of a source of images."""

    parts: dict[Role, Encoded]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class RawTexts:
    """All parts of a source of sentences, and what was found while they were read."""

    parts: dict[Role, TextPart]
    class_names: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


class Source(Protocol):
    """Files that can be read as images or sentences with labels."""

    @property
    def root(self) -> Path:
        """The folder or file that a person named."""

    @property
    def files(self) -> dict[Role, list[Path]]:
        """The files of each part, in order."""

    def read(self, entry: Entry | None) -> Raw | RawTexts:
        """Read labels and encoded images, or sentences; `entry` where the data set has a registered name."""
