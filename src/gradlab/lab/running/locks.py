"""Locks between processes, which the system releases when a process ends, however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

STUDY = "study.lock"
"""In the working folder: shared by the studies that run there until their reports are written; pruning wants it alone."""


def try_lock(path: Path) -> IO[bytes] | None:
    """Take the lock at `path` until the returned file is closed; None if another process has it."""
    file = _open(path)
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return file  # no such locks here: two writers may do the same work, and the first record stands
    except BlockingIOError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock at `path` together with others within the block; wait while `try_lock` or `exclusive` hold it."""
    with _open(path) as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_SH)
        except ImportError:
            pass  # as above
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock at `path` and hold it within the block."""
    with _open(path) as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except ImportError:
            pass  # as above
        yield


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+b")  # a lock that is shared wants to read, one that is not to write
