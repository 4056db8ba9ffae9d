"""What `torchrun` tells the processes that it starts; asks the environment alone, without torch."""

from __future__ import annotations

import os

STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


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
