"""One training of `train_model` in the processes that torchrun started: the first leads, the others follow."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradlab.data import Dataset
from gradlab.lab.records.record import Store
from gradlab.lab.running.desk import DataCache, Desk, Job
from gradlab.procedures import TOOLBOX, Train
from gradlab.types import UserError

Begin = Callable[[bool], None]
"""Told once, by the process that leads, whether there is something to train."""


def divided(device: str, lead: Callable[[Begin], Any], follow: Callable[[str], None]) -> Any:
    """Return in every process what process 0 made.

    Args:
        lead: of process 0: trains and writes. follow: of the others: trains along, on the device that it is told.

    Raises:
        UserError: what process 0 refuses, in all of them; or a process that cannot be reached.
    """
    from gradlab.training.ranks import find_ranks

    ranks, place = find_ranks(device)
    if not ranks.is_first:
        if _heard(ranks.from_first(None)):
            follow(str(place))
        return _heard(ranks.from_first(None))
    told: list[bool] = []

    def begin(needed: bool) -> None:
        if not told:
            told.append(needed)
            ranks.from_first((needed, None))

    try:
        made = lead(begin)
        begin(False)
    except UserError as error:
        with contextlib.suppress(UserError):  # the others may have ended for the same reason
            ranks.from_first((None, str(error)))
        raise
    ranks.from_first((made, None))
    return made


def _heard(told: tuple[Any, str | None]) -> Any:
    made, refused = told
    if refused is not None:
        raise UserError(refused)
    return made


def train_along(
    procedure: Train, data: Dataset, seed: int, device: str, precision: str, threads: int
) -> None:
    """Do the work of a training whose record another process writes; what comes out is the same, and is dropped."""
    with tempfile.TemporaryDirectory(prefix="gradlab-rank-") as name:
        desk = Desk(
            toolbox=TOOLBOX,
            device=device,
            precision=precision,
            threads=threads,
            checkpoint=Path(name) / "checkpoint",
            cache=DataCache(TOOLBOX.load),
            memory={procedure.data: data},
        )
        job = Job(seed, {}, {}, desk, Store(Path(name)))
        before = TOOLBOX.threads(threads)
        try:
            list(TOOLBOX.kinds[procedure.kind].work(procedure, [job], desk))
        finally:
            TOOLBOX.threads(before)
