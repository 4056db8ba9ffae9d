"""Writing records: whole or not at all, the manifest last; also those that were made elsewhere."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gradlab._files import sync_file, sync_folder
from gradlab.lab.records.binding import Bound
from gradlab.lab.records.columns import Columns, column_digest, write_table
from gradlab.lab.records.record import (
    MANIFEST,
    TEXTS,
    Record,
    as_json,
    checksum,
    damage_of,
    is_plain,
    is_record,
)
from gradlab.types import UserError


def write_record(
    records: Path,
    bound: Bound,
    *,
    facts: Mapping[str, Any],
    made: Mapping[str, Any],
    tables: Mapping[str, Columns],
    tensors: Mapping[str, bytes],
) -> Record:
    """Write a record under its hash; if another writer was first, theirs stands.

    The manifest is written last: a folder without it is no record. Everything is on the disk before the rename.

    Args:
        tensors: name of a safetensors file -> its bytes.

    Raises:
        UserError: the facts hold something that is no JSON.
    """
    final = records / bound.hash
    if is_record(final):
        return Record(final)
    with _temporary(records, bound.hash) as folder:
        for name, text in zip(TEXTS, (bound.spec, facts, made), strict=True):
            (folder / name).write_bytes(as_json(text))
        for name, content in tensors.items():
            (folder / name).write_bytes(content)
        for name, columns in tables.items():
            write_table(folder / f"{name}.parquet", columns)
        files = {path.name: checksum(path) for path in sorted(folder.iterdir())}
        manifest = {"format": 1, "tables": {n: _described(c) for n, c in tables.items()}, "files": files}
        (folder / MANIFEST).write_bytes(as_json(manifest))
        _place(folder, final)
    return Record(final)


def take_in(records: Path, name: str, manifest: bytes, bring: Callable[[str, Path], object]) -> list[str]:
    """Copy a record that was made elsewhere, whole or not at all.

    Args:
        manifest: its bytes. bring: copies one of its files, by name, to a path; FileNotFoundError where it is not there.

    Returns: the names of the files that are not what was written; where there are any, nothing is copied.
    """
    with _temporary(records, name) as folder:
        (folder / MANIFEST).write_bytes(manifest)
        copy = Record(folder, name)
        try:
            listed = [file for file in copy.manifest["files"] if is_plain(file)]
        except UserError:
            return [MANIFEST]
        for file in listed:
            with suppress(FileNotFoundError):
                bring(file, folder / file)
        damaged = copy.damaged()
        if not damaged:
            _place(folder, records / name)
        return damaged


@contextmanager
def _temporary(records: Path, name: str) -> Iterator[Path]:
    """Yield a folder in which a record becomes whole; what is still there afterwards goes."""
    folder = records / f".{name}.{uuid.uuid4().hex}.tmp"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(folder: Path, final: Path) -> None:
    """Give a whole record its name once everything is on the disk; if another writer was first, theirs stands."""
    for path in folder.iterdir():
        sync_file(path)
    sync_folder(folder)
    _put(folder, final)
    sync_folder(final.parent)


def _described(columns: Columns) -> dict[str, Any]:
    digests = {name: column_digest(values) for name, values in columns.items()}
    return {"rows": len(next(iter(columns.values()), ())), "columns": digests}


def _put(temporary: Path, final: Path) -> None:
    try:
        os.rename(temporary, final)
    except OSError:
        if not final.is_dir():
            raise
        if not is_record(final):  # a record that lost its manifest is none: make it again
            _fill(temporary, final)


def _fill(temporary: Path, final: Path) -> None:
    """Put the files into the ruin of a record, whose folder may hold a person's own; the manifest goes first and comes last."""
    for path in temporary.iterdir():
        if (final / path.name).is_dir():
            raise UserError(damage_of(final / path.name))
    (final / MANIFEST).unlink(missing_ok=True)
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == MANIFEST):
        if path.name == MANIFEST:
            sync_folder(final)
        os.replace(path, final / path.name)
    sync_folder(final)
