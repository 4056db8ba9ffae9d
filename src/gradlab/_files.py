"""Files written whole or not at all, that a power cut cannot empty afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LEFT_BEHIND = 3600.0
"""Seconds after which an unfinished file counts as left behind by a killed process."""


def write_whole(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Write a file whole or not at all, and so that it is whole after a power cut as well.

    The bytes reach the disk before the file gets its name, and the name before this returns. While it is written it is
    called `.NAME.*.part`; what a killed process left of that kind an hour ago or longer is removed.

    Args:
        path: in a folder that exists; a file there is replaced.
        content: the bytes, or a function that writes them to the path that it is given.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    remove_left_behind(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content)
        temporary.chmod(0o644)
        sync_file(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def read_regular(path: Path) -> bytes:
    """Read a regular file.

    Raises:
        OSError: it is not there or cannot be read, or it is something else, such as a pipe, which would be waited for.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return path.read_bytes()


def remove_left_behind(path: Path) -> None:
    """Remove the unfinished files and folders that killed writers of `path` left beside it."""
    ours, before = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.part"), time.time() - LEFT_BEHIND
    for name in os.listdir(path.parent):
        if ours.fullmatch(name):
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                left = path.parent / name
                if left.lstat().st_mtime < before and left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                elif left.lstat().st_mtime < before:
                    left.unlink()


def sync_tree(folder: Path) -> None:
    """Wait until a folder with all files and folders in it is on the disk."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(folder)


def put_in_place(made: Path, final: Path, aside: Path) -> None:
    """Give a whole folder its name; what stood there lies at `made` or at `aside` afterwards.

    Where the system can exchange two names at once, there is no moment without the old or the new; elsewhere the old one is
    moved aside first, and back where the new one cannot be put.
    """
    if not final.exists():
        os.rename(made, final)
    elif not _exchanged(made, final):
        os.rename(final, aside)
        try:
            os.rename(made, final)
        except OSError:
            os.rename(aside, final)
            raise
    sync_folder(final.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system cannot."""
    call = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return call is not None and call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, as after a rename; nothing where the system has no such call."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # a file system without such a call
            raise
    finally:
        os.close(handle)
