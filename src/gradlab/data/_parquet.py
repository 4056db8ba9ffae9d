"""Parquet files in the Hugging Face Hub's layout as a source of images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from gradlab.data._sources import ROLE_NAMES, Raw
from gradlab.data.registry import ROLES, Entry, Role
from gradlab.types import UserError

_NAME = re.compile(r"^([a-z]+)(?:-(\d+)-of-(\d+))?(?:-[0-9a-f]+)?\.parquet$")


@dataclass(frozen=True)
class ParquetFiles:
    """One or several Parquet files per part, with a column of encoded images and one of labels."""

    root: Path
    files: dict[Role, list[Path]]

    def read(self, entry: Entry | None) -> Raw:
        """Read labels and encoded images of all parts.

        Class names come from the registry, else from the file's own features, else from the labels.
        """
        raw: Raw = import_module("gradlab.data._tables").read(
            self.files, self.root, entry
        )  # late: it loads pyarrow
        return raw


def scan(root: Path) -> ParquetFiles | None:
    """Find the Parquet files of each part in `root`, its `data/`, or one configuration folder; None without any."""
    if root.is_file():
        return ParquetFiles(root, {"train": [root]})
    for folder in (root, root / "data"):
        if folder.is_dir() and (parts := _parts(folder)):
            return ParquetFiles(root, parts)
    below = [(f, parts) for f in sorted(root.iterdir()) if f.is_dir() and (parts := _parts(f))]
    if len(below) > 1:
        raise UserError(
            f"{root} holds several data sets ({', '.join(f.name for f, _ in below)}); name one of these folders."
        )
    return ParquetFiles(root, below[0][1]) if below else None


def _parts(folder: Path) -> dict[Role, list[Path]]:
    """Files of each part: `train.parquet`, `train-00000-of-00002.parquet`, or `train/*.parquet`."""
    found: dict[Role, list[Path]] = {}
    for file in sorted(folder.glob("*.parquet")):
        match = _NAME.match(file.name.lower())
        if match and (role := ROLE_NAMES.get(match[1])):
            found.setdefault(role, []).append(file)
            _check_shards(file, match)
    for name, role in ROLE_NAMES.items():
        if role not in found and (files := sorted((folder / name).glob("*.parquet"))):
            found[role] = files
    others = sorted(folder.glob("*.parquet"))
    if not found and len(others) == 1:
        found["train"] = others
    if not found and others:
        raise UserError(
            f"{folder} holds {len(others)} Parquet files of which none is named for a part; name them "
            "train.parquet, validation.parquet or test.parquet, or pass one of them."
        )
    return {role: found[role] for role in ROLES if role in found}


def _check_shards(file: Path, match: re.Match[str]) -> None:
    if match[3] is None:
        return
    have = len(list(file.parent.glob(f"{match[1]}-*-of-{match[3]}*.parquet")))
    if have != int(match[3]):
        raise UserError(
            f"{file.parent} holds {have} of the {int(match[3])} files of {match[1]}; get the others."
        )
