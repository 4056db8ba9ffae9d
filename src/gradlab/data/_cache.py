"""Decoded arrays on disk, so that a data set is decoded once; every failure here only costs time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab._files import sync_file, sync_folder
from gradlab.data._sources import Source

FORMAT = 3
"""Raised whenever the same files would be decoded or divided otherwise."""
STALE_SECONDS = 86_400
logger = logging.getLogger(__name__)

Saved = tuple[dict[str, Any], dict[str, NDArray[Any]]]
"""Facts (JSON) and arrays by name."""


def content_key(source: Source, options: Mapping[str, Any], root: Path | None) -> str:
    """Return the key of a source's decoded arrays: SHA-256 of its files' content and of the options.

    The content is hashed once per state of the files: path, size and time of change stand for it afterwards.
    """
    states = [
        [role, os.fsencode(file.resolve()).hex(), *_state(file)]
        for role, files in source.files.items()
        for file in files
    ]
    pointer = root / "sources" / _hash([json.dumps([FORMAT, states]).encode()]) if root else None
    content = ""
    if pointer:
        with contextlib.suppress(OSError):
            content = pointer.read_bytes().decode("utf-8", "replace")
    if len(content) != 64:
        content = _content(source)
        if pointer:
            _write_bytes(pointer, content.encode())
    return _hash([json.dumps([FORMAT, content, options], sort_keys=True).encode()])


def _state(file: Path) -> list[int]:
    """What changes when a file does: size, time of its content, time of its entry, inode."""
    status = file.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _content(source: Source) -> str:
    hasher = hashlib.sha256()
    for role, files in source.files.items():
        for file in files:
            one = _file_hash(file)
            hasher.update(
                f"{role} ".encode() + os.fsencode(f"{file.parent.name}/{file.name}") + f" {one}\n".encode()
            )
    return hasher.hexdigest()


def _hash(pieces: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def facts(root: Path | None, key: str) -> dict[str, Any] | None:
    """Return the facts of an entry, without opening its arrays; None where there is none, or they are damaged."""
    entry = _entry(root / "arrays" / key) if root else None
    return entry["facts"] if entry else None


def _entry(folder: Path) -> dict[str, Any] | None:
    """What stands in an entry's `facts.json`, if it is as it was written."""
    try:
        value = json.loads((folder / "facts.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(value, dict) and value.get("seal") == _seal(value)
    return value if whole else None


def _seal(entry: Mapping[str, Any]) -> str:
    content = {name: value for name, value in entry.items() if name != "seal"}
    return _hash([json.dumps(content, sort_keys=True).encode()])


def read(root: Path | None, key: str) -> Saved | None:
    """Return an entry, its arrays mapped into memory (changes stay private); None where none is whole.

    Arrays whose size, times or inode are not those that were written down are hashed again first.
    """
    if root is None:
        return None
    folder = root / "arrays" / key
    try:
        if not folder.is_dir():
            return None
        entry = _entry(folder)
        if entry and _unchanged(folder, entry):
            found = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in entry["arrays"]}
            return entry["facts"], found
    except PermissionError as error:
        logger.warning("the data cache %s may not be read (%s); going on without it", root, error.strerror)
        return None
    except (OSError, ValueError, EOFError, KeyError) as error:
        logger.info("%s: %s", folder, error)
    logger.warning("the damaged data cache entry %s is made again", folder)
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _unchanged(folder: Path, entry: dict[str, Any]) -> bool:
    """Whether the arrays are those that were written; notes their new state where only that is another."""
    states = {name: _state(folder / f"{name}.npy") for name in entry["arrays"]}
    if all(states[name] == known["state"] for name, known in entry["arrays"].items()):
        return True
    for name, known in entry["arrays"].items():
        if _file_hash(folder / f"{name}.npy") != known["sha256"]:
            return False
    known = {name: {**entry["arrays"][name], "state": state} for name, state in states.items()}
    _write_bytes(folder / "facts.json", _sealed(entry["facts"], known))
    return True


def _sealed(found: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    entry = {"facts": found, "arrays": arrays}
    return json.dumps({**entry, "seal": _seal(json.loads(json.dumps(entry)))}).encode()


def _file_hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(root: Path | None, key: str, found: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an entry under a temporary name and rename it; whoever comes second lets the first stand.

    Folders and files have the permissions of the person's umask, so that others may share the cache. They reach the
    disk before they get their name: a power cut leaves the whole entry or none.
    """
    if root is None:
        return
    folder = root / "arrays"
    temporary = folder / f".writing-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        temporary.mkdir()
        known = {}
        for name, array in arrays.items():
            file = temporary / f"{name}.npy"
            np.save(file, array)
            sync_file(file)
            known[name] = {"state": _state(file), "sha256": _file_hash(file)}
        (temporary / "facts.json").write_bytes(_sealed(found, known))
        sync_file(temporary / "facts.json")
        sync_folder(temporary)
        temporary.rename(folder / key)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if _entry(folder / key) is None:
            logger.warning(
                "the data cache %s cannot be written (%s); going on without it", root, error.strerror
            )


def _write_bytes(file: Path, content: bytes) -> None:
    temporary = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            sync_file(temporary)
            temporary.replace(file)
            sync_folder(file.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the data cache %s cannot be written (%s)", file.parent, error.strerror)


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for left in folder.glob(".writing-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
