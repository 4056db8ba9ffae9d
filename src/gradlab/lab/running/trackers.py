"""Trackers: the values of every epoch, copied to TensorBoard or W&B while a study runs; the records stay the truth."""

from __future__ import annotations

import contextlib
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from gradlab.lab.designing.design import Design
from gradlab.types import UserError, did_you_mean

Event = dict[str, Any]


class Tracker(Protocol):
    """Takes values in; whatever it opens, `close` ends."""

    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Take the finite values of one epoch (step) of a run."""

    def close(self) -> None:
        """Write what is left and end; called once, also after an error."""


def tensorboard(folder: Path, study: str) -> Tracker:
    """Open a tracker that writes TensorBoard event files below `folder`/tensorboard."""
    from gradlab.lab.running.tracker_tensorboard import TensorBoard

    return TensorBoard(folder / "tensorboard" / plain_name(study))


def wandb(folder: Path, study: str) -> Tracker:
    """Open a tracker that writes W&B runs below `folder`/wandb, offline unless WANDB_MODE says otherwise."""
    from gradlab.lab.running.tracker_wandb import WeightsAndBiases

    return WeightsAndBiases(folder, group=study)


TRACKERS: dict[str, Callable[[Path, str], Tracker]] = {"tensorboard": tensorboard, "wandb": wandb}
"""Name of a tracker, which is that of its package and of gradlab's extra, -> what opens it."""


@contextlib.contextmanager
def open_trackers(names: Sequence[str], out: Path, design: Design) -> Iterator[Callable[[Event], None]]:
    """Yield what hears the lab's events and passes every epoch on to the trackers.

    Args:
        names: of TRACKERS; none is a tracker that does nothing.
        out: the study's folder; trackers write below `out`/trackers, from the first event on.
        design: of the study that runs.

    Raises:
        UserError: a name is not known, or its package is not installed.
    """
    for name in names:
        check_tracker(name)
    opened: dict[str, Tracker] | None = None

    def track(event: Event) -> None:
        nonlocal opened
        if opened is None and names and (event.get("units") or event["event"] == "progress"):
            made = {name: _guarded(name, TRACKERS[name], out / "trackers", design.study) for name in names}
            opened = {name: tracker for name, tracker in made.items() if tracker is not None}
        for run, step, values in row_values(event):
            for name, tracker in list((opened or {}).items()):
                if not _succeeds(name, tracker.log, run, step, values):
                    (opened or {}).pop(name)

    try:
        yield track
    finally:
        for name, tracker in (opened or {}).items():
            _succeeds(name, tracker.close)


def _guarded(name: str, open_it: Callable[..., Tracker], *arguments: Any) -> Tracker | None:
    found: list[Tracker] = []
    _succeeds(name, lambda: found.append(open_it(*arguments)))
    return found[0] if found else None


def _succeeds(name: str, call: Callable[..., Any], *arguments: Any) -> bool:
    """Call a tracker; whatever goes wrong there is warned of once, and the study goes on without it."""
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 - a tracker may raise anything, and the records are the truth
        logging.getLogger(__name__).warning(
            "tracker '%s' failed (%s: %s) and is left out from here on; the study goes on.",
            name,
            type(error).__name__,
            error,
        )
        return False
    return True


def check_tracker(name: str) -> None:
    """Raise UserError unless the tracker is known and its package is installed; imports neither."""
    if name not in TRACKERS:
        raise UserError(f"unknown tracker '{name}'; {did_you_mean(name, list(TRACKERS))}")
    found = find_spec(name)
    if found is None or found.origin is None:  # a folder of that name, such as W&B's own, is no package
        raise UserError(
            f"tracker '{name}' needs a package that is not installed: pip install 'gradlab[{name}]'"
        )


def row_values(event: Event) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Yield run, step and finite values for each row of a progress event; nothing for other events.

    The step of a training is the epoch, from 1. NaN and infinity, which a diverged run leaves, are left out.
    """
    if event["event"] != "progress":
        return
    for seed, step, row in event["rows"]:
        values = {
            name: float(value) for name, value in row.items() if value is not None and math.isfinite(value)
        }
        if values:
            yield run_name(event["label"], seed, event["unit"]), step, values


def run_name(label: str, seed: int | None, unit: str) -> str:
    """Return how trackers call a run, such as "plain-depth-32/seed-0-3fa9c1d2".

    The end stands for all that the runs of a unit share (data, recipe, versions): it is the beginning of the
    unit's name, so that the same arm on other data is another run.
    """
    return f"{plain_name(label)}/seed-{0 if seed is None else seed}-{unit[:8]}"


def plain_name(name: str) -> str:
    """Return a name that can be one folder's: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^\w.-]+", "-", name).lstrip(".") or "-"
