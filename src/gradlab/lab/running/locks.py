"""Locks between processes, which the system releases when a process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

STUDY = "study.lock"
"""In the working folder: shared by the studies that run there until their reports are written; pruning wants it alone."""
WITHOUT = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
"""What file systems without locks answer, as on some clusters."""


def try_lock(path: Path) -> IO[bytes] | None:
    """Take the lock at `path` until the returned file is closed; None if another process has it."""
    file = _open(path)
    try:
        _flock(file, "LOCK_EX", waits=False)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock at `path` together with others within the block; wait while `try_lock` or `exclusive` hold it."""
    with _open(path) as file:
        _flock(file, "LOCK_SH")
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock at `path` and hold it within the block."""
    with _open(path) as file:
        _flock(file, "LOCK_EX")
        yield


def _flock(file: IO[bytes], how: str, *, waits: bool = True) -> None:
    """Lock an open file; where nothing can be locked, go on: two writers may do the same work, and the first one stands."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, getattr(fcntl, how) | (0 if waits else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in WITHOUT:
            raise
        _warn(str(Path(file.name).parent))


@functools.cache
def _warn(folder: str) -> None:
    logging.getLogger(__name__).warning(
        "the file system of %s knows no locks, so two processes may do the same work there; results are not harmed.",
        folder,
    )


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+b")  # a lock that is shared wants to read, one that is not to write
