"""The program's first moments: Ctrl-C ends it with a sentence also while it is loading."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

INTERRUPTED = "gradlab: interrupted; finished runs are kept, ask again to go on."


def main(arguments: Sequence[str] | None = None) -> int:
    """Load the program and run it; see `gradlab.cli.app.main` for the exit codes."""
    gc.disable()  # what is loaded stays: looking through it costs a tenth of the start
    with _ended_by_ctrl_c():
        from gradlab.cli.app import load_verb
        from gradlab.cli.app import main as run
        from gradlab.training.torchrun import leave

        for verb in (sys.argv[1:] if arguments is None else arguments)[:1]:
            load_verb(verb)
    gc.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # whatever the locale says
    code = run(arguments)
    leave(code)
    return code


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """End at once on Ctrl-C within the block, in which nothing has begun; an interrupted import can end in any error."""
    if (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):  # whoever called us has a way of their own
        yield
        return
    try:
        signal.signal(signal.SIGINT, _stop)
    except ValueError:  # not the main thread, which alone hears signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop(_number: int, _frame: object) -> None:
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(130)
