"""A run record by its folder, or by the first characters of its name (no torch)."""

from __future__ import annotations

import re
from pathlib import Path

from gradlab.lab.records.record import MANIFEST, Record
from gradlab.types import UserError


def records_of(runs: Path) -> list[Record]:
    """Return the records in an --out folder, by name.

    Raises:
        UserError: the folder holds no records.
    """
    folder = runs / "records"
    if not folder.is_dir():
        raise UserError(f"{runs} holds no records; give the --out folder of a run.")
    return [Record(file.parent) for file in sorted(folder.glob(f"*/{MANIFEST}"))]


def names_record(name: str | Path) -> bool:
    """Whether this can be nothing but a record: its folder, or hexadecimal digits where no such folder lies here."""
    path = Path(name)
    if (path / MANIFEST).is_file() or path.parent.name == "records":
        return True
    return not path.exists() and re.fullmatch(r"[0-9a-f]{1,20}…?", str(name)) is not None


def find_record(name: str | Path, runs: str | Path = "runs", *, what: str = "record") -> Record:
    """Open a record.

    Args:
        name: its folder, or the first characters of its name; both may be cut short.
        runs: folder that was given as --out, in which names are looked for.
        what: is looked for, for the sentence about a mistake.

    Raises:
        UserError: there is none, or several begin so.
    """
    path, text = Path(name), str(name)
    if (path / MANIFEST).is_file():
        return Record(path)
    folder = path.parent if path.parent.name == "records" else Path(runs) / "records"
    beginning = path.name.rstrip("….")
    if not re.fullmatch(r"[0-9a-f]{1,20}", beginning) or (
        path.parent != Path() and path.parent.name != "records"
    ):
        raise UserError(
            f"there is no {what} {text}; give its folder, or the first characters of a record's name (see gradlab runs list)."
        )
    found = [file.parent for file in sorted(folder.glob(f"{beginning}*/{MANIFEST}"))]
    if not found:
        raise UserError(
            f"no record in {folder.parent} begins with {beginning}; gradlab runs list {folder.parent} lists them."
        )
    if len(found) > 1:
        names = ", ".join(one.name[: len(beginning) + 4] for one in found[:3])
        raise UserError(
            f"{len(found)} records in {folder.parent} begin with {beginning} ({names}, …); give more characters."
        )
    return Record(found[0])
