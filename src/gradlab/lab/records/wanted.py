"""Which records are wanted: those that a report rests on, or ever rested on, and those of model folders (no torch)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gradlab._files import read_regular, write_whole
from gradlab.types import UserError

RECORDS = ".records.json"
"""In a report's folder: names of all records that the reports which stood there rest on; it goes with the folder."""
MODELS = "models"
"""Folder in --out: a file for every record of a single training, with the model folders written from it."""


def records_named(results: Mapping[str, Any]) -> set[str]:
    """Return the names of all records that a result names: of its arms, and of what these rest on.

    Raises:
        KeyError, TypeError: it is no result.
    """
    return {str(run["record"]) for run in (*results["runs"], *results.get("rests_on", ()))}


def remember_records(folder: Path, results: Mapping[str, Any]) -> None:
    """Note which records a report rests on; those of the reports that it replaces stay noted."""
    before = remembered(folder)
    now = records_named(results) | (before or _replaced(folder))
    if now != before:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RECORDS, _text(now))


def remembered(folder: Path) -> set[str]:
    """Return the names of the records that were noted for a report's folder.

    Raises:
        UserError: the note is damaged.
    """
    path = folder / RECORDS
    return set(_names(path)) if path.exists() else set()


def remember_model(out: Path, record: str, folder: Path) -> None:
    """Note that a model folder was written from a record."""
    path = out / MODELS / f"{record}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = set(_names(path)) if path.exists() else set()
    write_whole(path, _text(before | {str(folder.resolve())}))


def records_of_models(out: Path, facts: str) -> set[str]:
    """Return the names of the records whose model folders are still there.

    Args:
        facts: name of the file that makes a folder a model.
    """
    return {
        path.stem
        for path in sorted((out / MODELS).glob("*.json"))
        if any((Path(folder) / facts).is_file() for folder in _names(path))
    }


def _replaced(folder: Path) -> set[str]:
    """Return the records of the result that stands in a folder; none where it cannot be read."""
    try:
        return records_named(json.loads(read_regular(folder / "results.json")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _text(names: Iterable[str]) -> bytes:
    return (json.dumps(sorted(names), indent=1, ensure_ascii=False) + "\n").encode()


def _names(path: Path) -> list[str]:
    try:
        found = json.loads(read_regular(path))
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return found
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(_damage(path)) from error
    raise UserError(_damage(path))


def _damage(path: Path) -> str:
    return (
        f"{path} is damaged, so nobody knows which records are needed; nothing was deleted. "
        f"Delete that file to forget what it said."
    )
