"""Run records: immutable folders named by the hash of their spec, compared with their manifests when they are read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from gradlab.lab.records.binding import spec_hash
from gradlab.lab.records.columns import Columns, StoredTable
from gradlab.types import UserError

MANIFEST = "manifest.json"
WEIGHTS, BULK = "weights.safetensors", "bulk.safetensors"
TEXTS = ("spec.json", "facts.json", "made.json")
NAME = re.compile(r"[0-9a-f]{20}")
"""Name of a record: the hash of its spec."""
OWN = (*TEXTS, MANIFEST, ".parquet", ".safetensors")
"""Endings of the files of a record."""
LARGEST_TEXT = 64 * 2**20
"""Bytes of the largest JSON file that is read."""


class Run(Protocol):
    """What evaluation knows of a run: a record, or its small form."""

    @property
    def hash(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def spec(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def made(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def manifest(self) -> Mapping[str, Any]: ...  # noqa: D102
    def table(self, name: str) -> Columns: ...  # noqa: D102


class Record:
    """A finished run, read from its folder; whatever is read is compared with the manifest."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder, self._name = Path(folder), name
        self._tables: dict[str, StoredTable] = {}

    @property
    def hash(self) -> str:
        """Name of the record: that of its folder, unless it is told, as of one that is still being copied."""
        return self._name or self.folder.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Digests of everything in the record."""
        path = self.folder / MANIFEST
        found = parse_json(path, self.listing)
        if not all(isinstance(found.get(name), dict) for name in ("tables", "files")):
            raise UserError(damage_of(path))
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest, which stands for the whole record."""
        return hashlib.sha256(self.listing).hexdigest()

    @cached_property
    def listing(self) -> bytes:
        """The bytes of the manifest."""
        return read_text(self.folder / MANIFEST)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All that the result depends on: procedure, inputs, seed, software; compared with manifest and name.

        Raises:
            UserError: it is not what was written, or that of another record, whose name it does not give.
        """
        self._checked("spec.json")
        return self.named_spec

    @cached_property
    def named_spec(self) -> dict[str, Any]:
        """The spec, compared with the record's name alone, which tells all but what data are called; errors as above."""
        found = read_json(self.folder / "spec.json")
        if NAME.fullmatch(self.hash) and _misnamed(found, self.hash):
            raise UserError(
                f"{self.folder} holds another record, not the one that it is named for; "
                "delete that folder and run the study again."
            )
        return found

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What came out beside the tables: status, note, and what the procedure says."""
        return self._text("facts.json")

    @cached_property
    def made(self) -> dict[str, Any]:
        """How it came about: seconds, memory, versions, commit, date."""
        return self._text("made.json")

    def table(self, name: str) -> Columns:
        """Return a table, whose columns are read when they are asked for; an unknown one has no column."""
        if name not in self._tables:
            digests = (self.manifest["tables"].get(name) or {}).get("columns", {})
            self._tables[name] = StoredTable(self.folder / f"{name}.parquet", digests)
        return self._tables[name]

    def file(self, name: str) -> Path | None:
        """Return the path of a file of tensors after comparing it with the manifest; None where there is none.

        Raises:
            UserError: it is not what was written.
        """
        if name not in self.manifest["files"]:
            return None
        path = self.folder / name
        if not is_plain(name) or checksum(path) != self.manifest["files"][name]:
            raise UserError(damage_of(path))
        return path

    def damaged(self) -> list[str]:
        """Name the files that are not what was written, or cannot be read."""
        try:
            listed = self.manifest["files"]
        except UserError:
            return [MANIFEST]
        wrong = [
            name for name in listed if not is_plain(name) or checksum(self.folder / name) != listed[name]
        ]
        return wrong or (["spec.json"] if _misnamed(self._text("spec.json"), self.hash) else [])

    def _text(self, name: str) -> dict[str, Any]:
        return parse_json(self.folder / name, self._checked(name))

    def _checked(self, name: str) -> bytes:
        """Read a JSON file after comparing it with the manifest."""
        content = read_text(self.folder / name)
        if hashlib.sha256(content).hexdigest() != self.manifest["files"].get(name):
            raise UserError(damage_of(self.folder / name))
        return content


def holds_only_ours(folder: Path) -> bool:
    """Whether a folder, whole or not, holds nothing but what records are made of."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return all(
        path.name.endswith(OWN) and (path.is_symlink() or not path.is_dir()) for path in folder.iterdir()
    )


def is_record(folder: Path) -> bool:
    """Whether a whole record lies there: its manifest can be read."""
    return _whole(Record(folder))


def _whole(record: Record) -> bool:
    try:
        return bool(record.manifest["files"])
    except UserError:
        return False


def load(run: str | Path) -> Record:
    """Open a record by its folder.

    Raises:
        UserError: there is no record there.
    """
    folder = Path(run)
    if not (folder / MANIFEST).is_file():
        raise UserError(
            f"{folder} holds no run record; give a folder such as runs/records/<hash> (see gradlab runs list)."
        )
    return Record(folder)


Fetch = Callable[[str, Path], bool]


class Store:
    """Where records are: a folder to write to, further ones that are only read, and what fetches others into the first.

    Args:
        fetch: copies a record, by name, into a folder of records from where else it may be; returns whether it is there.
    """

    def __init__(self, own: Path, others: tuple[Path, ...] = (), fetch: Fetch | None = None) -> None:
        self.own, self.others, self._fetch = own, others, fetch
        self._found: dict[str, Record] = {}

    def find(self, name: str) -> Record | None:
        """Return the record of that name, or None."""
        for folder in () if name in self._found else (self.own, *self.others):
            record = Record(folder / name)
            if _whole(record):
                self._found[name] = record
                break
        if name not in self._found and self._fetch is not None and self._fetch(name, self.own):
            self._found[name] = Record(self.own / name)
        return self._found.get(name)

    def get(self, name: str) -> Record:
        """Return the record of that name.

        Raises:
            UserError: it is not there.
        """
        found = self.find(name)
        if found is None:
            raise UserError(f"record {name} is not in {self.own}; run the study again with the same --out.")
        return found


def as_json(data: Any) -> bytes:
    """Return readable JSON, sorted, without NaN."""
    return json.dumps(data, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: the file is damaged, not there, or no regular file.
    """
    return parse_json(path, read_text(path))


def read_text(path: Path) -> bytes:
    """Read the bytes of a JSON file; errors as for `read_json`."""
    with _asdamage_of(path):
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_TEXT:
            raise ValueError("no file, or far too large")
        with open(path, "rb", buffering=0) as file:
            return file.read()


def parse_json(path: Path, content: bytes) -> dict[str, Any]:
    """Return the JSON object that a file holds; errors as for `read_json`."""
    with _asdamage_of(path):
        found = json.loads(content)
        if not isinstance(found, dict):
            raise ValueError("no object")
        return found


@contextlib.contextmanager
def _asdamage_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(damage_of(path)) from error


def damage_of(path: Path) -> str:
    """Say what is wrong with a file of a record, and what to do."""
    state = "is damaged" if path.exists() else "is missing"
    return f"{path} {state}; delete the folder {path.parent} and run the study again."


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file; "" where there is no regular file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_plain(name: str) -> bool:
    """Whether a listed name is the bare name of a file, inside its folder."""
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name


def _misnamed(spec: Mapping[str, Any], name: str) -> bool:
    try:
        return spec_hash(spec) != name
    except (KeyError, TypeError, ValueError):
        return True
