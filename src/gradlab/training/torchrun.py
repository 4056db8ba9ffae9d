"""What `torchrun` tells the processes that it starts, and how one ends whose fellow was lost; without torch."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from types import TracebackType

STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
LOST = threading.Event()
"""Set once another process of this training no longer answers."""


def process_count() -> int:
    """Count the processes that `torchrun`, or whatever sets the same variables, started together with this one; it is one."""
    return max(1, _number("WORLD_SIZE")) if all(name in os.environ for name in STARTED) else 1


def is_one_of_several() -> bool:
    """Whether this process was started together with others."""
    return process_count() > 1


def is_first() -> bool:
    """Whether this process is the one that writes and shows."""
    return not is_one_of_several() or _number("RANK") == 0


def processes_here() -> int:
    """Count the processes of the training on this machine."""
    return max(1, _number("LOCAL_WORLD_SIZE")) if is_one_of_several() else 1


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0


def note_loss() -> None:
    """Remember that another process of this training no longer answers, also for the end of a script of one's own."""
    if LOST.is_set():
        return
    LOST.set()
    before = sys.excepthook

    def show_and_leave(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        before(kind, error, traceback)
        leave(1)

    sys.excepthook = show_and_leave


def leave(code: int) -> None:
    """End this process with an exit code at once if another of its training was lost; return otherwise.

    Threads of the library still wait for the lost one, and at an ordinary end they now and then abort the process. What was
    registered for the end is done, and what was printed is written.
    """
    if not LOST.is_set():
        return
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # its reader has gone
            stream.flush()
    os._exit(code)
