"""Decoded arrays on disk, so that a data set is decoded once; every failure here only costs time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab.data._sources import Source

FORMAT = 2
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
        [role, str(file.resolve()), *_state(file)] for role, files in source.files.items() for file in files
    ]
    pointer = root / "sources" / _hash([json.dumps([FORMAT, states]).encode()]) if root else None
    content = ""
    if pointer:
        with contextlib.suppress(OSError):
            content = pointer.read_text()
    if len(content) != 64:
        content = _content(source)
        if pointer:
            _write_text(pointer, content)
    return _hash([json.dumps([FORMAT, content, options], sort_keys=True).encode()])


def _state(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _content(source: Source) -> str:
    hasher = hashlib.sha256()
    for role, files in source.files.items():
        for file in files:
            with file.open("rb") as stream:
                one = hashlib.file_digest(stream, "sha256").hexdigest()
            hasher.update(f"{role} {file.parent.name}/{file.name} {one}\n".encode())
    return hasher.hexdigest()


def _hash(pieces: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def _write_text(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(text)
            Path(temporary).replace(file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        logger.warning("the data cache %s cannot be written (%s)", file.parent, error.strerror)


def facts(root: Path | None, key: str) -> dict[str, Any] | None:
    """Return the facts of an entry, without opening its arrays; None where there is none."""
    if root is None:
        return None
    try:
        value = json.loads((root / "arrays" / key / "facts.json").read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read(root: Path | None, key: str) -> Saved | None:
    """Return an entry, its arrays mapped into memory (changes stay private); None where none is whole."""
    if root is None or not (folder := root / "arrays" / key).is_dir():
        return None
    try:
        found = facts(root, key) or {}
        return found, {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in found["arrays"]}
    except (OSError, ValueError, EOFError, KeyError):
        logger.warning("the damaged data cache entry %s is made again", folder)
        shutil.rmtree(folder, ignore_errors=True)
        return None


def write(root: Path | None, key: str, found: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an entry under a temporary name and rename it; whoever comes second lets the first stand."""
    if root is None:
        return
    folder = root / "arrays"
    temporary: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
        for name, array in arrays.items():
            np.save(temporary / f"{name}.npy", array)
        (temporary / "facts.json").write_text(json.dumps({**found, "arrays": sorted(arrays)}))
        temporary.rename(folder / key)
    except OSError as error:
        if not (folder / key / "facts.json").exists():
            logger.warning(
                "the data cache %s cannot be written (%s); going on without it", root, error.strerror
            )
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for left in folder.glob(".writing-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
