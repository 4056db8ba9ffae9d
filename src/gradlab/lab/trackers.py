"""Trackers: the values of every epoch, copied to TensorBoard or W&B while a study runs; the records stay the truth."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from gradlab.lab.design import Design
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
    from gradlab.lab.tracker_tensorboard import TensorBoard

    return TensorBoard(folder / "tensorboard" / plain_name(study))


def wandb(folder: Path, study: str) -> Tracker:
    """Open a tracker that writes W&B runs below `folder`/wandb, offline unless WANDB_MODE says otherwise."""
    from gradlab.lab.tracker_wandb import WeightsAndBiases

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
    with contextlib.ExitStack() as stack:
        opened: list[Tracker] = []

        def track(event: Event) -> None:
            if not opened and (
                event.get("blocks") or event["event"] == "epoch"
            ):  # else there is nothing to run
                for name in dict.fromkeys(names):
                    tracker = TRACKERS[name](out / "trackers", design.study)
                    opened.append(stack.enter_context(contextlib.closing(tracker)))
            for run, step, values in epoch_values(event):
                for tracker in opened:
                    tracker.log(run, step, values)

        yield track


def check_tracker(name: str) -> None:
    """Raise UserError unless the tracker is known and its package is installed; imports neither."""
    if name not in TRACKERS:
        raise UserError(f"unknown tracker '{name}'; {did_you_mean(name, list(TRACKERS))}")
    found = find_spec(name)
    if found is None or found.origin is None:  # a folder of that name, such as W&B's own, is no package
        raise UserError(f"tracker '{name}' needs a package that is not here: pip install 'gradlab[{name}]'")


def epoch_values(event: Event) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Yield run, step and finite values for each seed of an epoch event; nothing for other events.

    The step is the epoch, from 1. NaN and infinity, which a diverged run leaves, are left out.
    """
    if event["event"] != "epoch":
        return
    for seed, row in zip(event["seeds"], event["metrics"], strict=True):
        values = {
            name: float(value)
            for name, value in row.items()
            if name != "epoch" and value is not None and math.isfinite(value)
        }
        if values:
            yield run_name(event["arm"], seed, event["block"]), event["epoch"], values


def run_name(arm: str, seed: int, block: str) -> str:
    """Return how trackers call a run, such as "plain-32/seed-0-3fa9c1d2".

    The end stands for all that the runs of a block share (data, recipe, versions): it is the beginning of the
    block's name, so that the same arm on other data is another run.
    """
    return f"{plain_name(arm)}/seed-{seed}-{block[:8]}"


def plain_name(name: str) -> str:
    """Return a name that can be one folder's: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^\w.-]+", "-", name).lstrip(".") or "-"
