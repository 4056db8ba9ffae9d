"""Parquet files in the Hugging Face Hub's layout as a source of images or sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from gradlab.data._limits import shown
from gradlab.data._sources import ROLE_NAMES, Raw, RawTexts
from gradlab.data.registry import ROLES, Entry, Role
from gradlab.types import UserError

_NAME = re.compile(r"^([a-z]+)(?:-(\d+)-of-(\d+))?(?:-[0-9a-f]+)?\.(?:parquet|csv)$")
_WORDS = {"parquet": "Parquet", "csv": "CSV"}


@dataclass(frozen=True)
class ParquetFiles:
    """One or several Parquet files per part, with a column of encoded images or sentences and one of labels."""

    root: Path
    files: dict[Role, list[Path]]

    def read(self, entry: Entry | None) -> Raw | RawTexts:
        """Read labels and encoded images, or sentences, of all parts.

        Class names come from the registry, else from the file's own features, else from the labels.
        """
        raw: Raw | RawTexts = import_module("gradlab.data._tables").read(
            self.files, self.root, entry
        )  # late: it loads pyarrow
        return raw


def scan(root: Path) -> ParquetFiles | None:
    """Find the Parquet files of each part in `root`, its `data/`, or one configuration folder; None without any."""
    if root.is_file():
        return ParquetFiles(root, {"train": [root]})
    for folder in (root, root / "data"):
        if folder.is_dir() and (parts := files_of_parts(folder, "parquet")):
            return ParquetFiles(root, parts)
    below = [
        (f, parts) for f in sorted(root.iterdir()) if f.is_dir() and (parts := files_of_parts(f, "parquet"))
    ]
    if len(below) > 1:
        listed = shown(", ".join(f.name for f, _ in below))
        raise UserError(f"{shown(root)} holds several data sets ({listed}); name one of these folders.")
    return ParquetFiles(root, below[0][1]) if below else None


def files_of_parts(folder: Path, suffix: str) -> dict[Role, list[Path]]:
    """Files of each part: `train.parquet`, `train-00000-of-00002.parquet`, or `train/*.parquet`.

    Args:
        folder: that holds them. suffix: of the files, such as "parquet".
    """
    found: dict[Role, list[Path]] = {}
    everything = sorted(folder.glob(f"*.{suffix}"))
    for file in everything:
        match = _NAME.match(file.name.lower())
        if match and (role := ROLE_NAMES.get(match[1])):
            found.setdefault(role, []).append(file)
            _check_shards(file, match, suffix)
    for name, role in ROLE_NAMES.items():
        if role not in found and (files := sorted((folder / name).glob(f"*.{suffix}"))):
            found[role] = files
    if not found and len(everything) == 1:
        found["train"] = everything
    if not found and everything:
        raise UserError(
            f"{shown(folder)} holds {len(everything)} {_WORDS[suffix]} files of which none is named for a part; name "
            f"them train.{suffix}, validation.{suffix} or test.{suffix}, or pass one of them."
        )
    return {role: found[role] for role in ROLES if role in found}


def _check_shards(file: Path, match: re.Match[str], suffix: str) -> None:
    if match[3] is None:
        return
    have = len(list(file.parent.glob(f"{match[1]}-*-of-{match[3]}*.{suffix}")))
    if have != int(match[3]):
        raise UserError(
            f"{shown(file.parent)} holds {have} of the {int(match[3])} files of {match[1]}; get the others."
        )
