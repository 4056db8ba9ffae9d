"""Live progress of a study on stderr: each arm's epoch, loss, accuracy and rate, and the time left."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gradlab._plain import printable

Event = dict[str, Any]


class Clock:
    """Shares of work done, and the time left that follows from the rate so far."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.begun = now()
        self.weights: dict[str, float] = {}
        self.shares: dict[str, float] = {}
        self.finished: set[str] = set()
        self.titles: dict[str, tuple[str, str]] = {}
        self.runs: dict[str, int] = {}
        self.given = 0.0
        """Work that was there already: what lay before a checkpoint, units of another process."""

    def hear(self, event: Event) -> None:
        """Take in one event of the lab."""
        if event["event"] == "start":
            self.begun = self.now()
            self.weights |= {name: cost for _, name, cost in event["units"]}
            self.titles |= event.get("titles", {})
            self.runs |= event.get("runs", {name: 1 for _, name, _ in event["units"]})
        elif event["event"] == "progress":
            self._move(event["unit"], event["share"], event["given"])
        elif event["event"] == "done":
            self._move(event["unit"], 1.0, 1.0)
            self.finished.add(event["unit"])

    def _move(self, unit: str, share: float, before: float) -> None:
        if unit not in self.shares:
            self.given += self.weights.get(unit, 0.0) * before
        self.shares[unit] = share

    def title(self, event: Event, *, short: bool = False) -> str:
        """Return what an event is about, for people."""
        label = str(event["label"])
        return printable(self.titles.get(str(event["unit"]), (label, label))[0 if short else 1])

    @property
    def count(self) -> str:
        """How many runs are done, such as "6/36"."""
        finished = sum(self.runs.get(name, 1) for name in self.finished)
        return f"{finished}/{sum(self.runs.values())}"

    @property
    def done(self) -> float:
        """Share of the work that is done, in [0, 1]."""
        total = sum(self.weights.values())
        return self._worked / total if total else 1.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end at the rate so far; None before there is a rate."""
        elapsed, own = self.now() - self.begun, self._worked - self.given
        return (
            None if own <= 0 or elapsed <= 0 else elapsed * (sum(self.weights.values()) - self._worked) / own
        )

    @property
    def _worked(self) -> float:
        return sum(self.weights.get(name, 0.0) * share for name, share in self.shares.items())


def clock_text(seconds: float | None) -> str:
    """Say a time left, such as "2:05 left"."""
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"


@contextlib.contextmanager
def study_progress(wanted: bool | None = None) -> Iterator[Callable[[Event], None]]:
    """Yield what hears the lab's events and shows them.

    Args:
        wanted: False shows nothing, True or None a live display on a terminal and a line an arm elsewhere.
    """
    if wanted is False:
        yield lambda _event: None
        return
    clock = Clock()
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda event: _log(event, clock, console)
        return
    columns = (
        TextColumn("{task.fields[arm]:<14}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Live(bar, clock)


class _Live:
    """A bar for all and one for each arm at work."""

    def __init__(self, bar: Progress, clock: Clock) -> None:
        self.bar, self.clock = bar, clock
        self.whole = bar.add_task("", arm="study", total=1.0)
        self.tasks: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        self.clock.hear(event)
        if event["event"] == "told":
            self.bar.console.print(printable(event["text"]), highlight=False, markup=False, soft_wrap=True)
        unit = event.get("unit")
        if event["event"] == "progress":
            self.bar.update(self._task(event), completed=event["share"], description=event["text"])
        elif event["event"] == "status" and unit is not None:
            self.bar.update(self._task(event), description=event["text"])
        elif event["event"] == "done" and unit in self.tasks:
            self.bar.remove_task(self.tasks.pop(unit))
        self.bar.update(self.whole, completed=self.clock.done, description=self._text(event))

    def _task(self, event: Event) -> Any:
        if event["unit"] not in self.tasks:
            self.tasks[event["unit"]] = self.bar.add_task(
                "", arm=self.clock.title(event, short=True), total=1.0
            )
        return self.tasks[event["unit"]]

    def _text(self, event: Event) -> str:
        """Say how far the study is; before the first unit reports, what is going on."""
        if event["event"] == "status" and "unit" not in event:
            return str(event["text"])
        count = f"{self.clock.count} runs done"
        left = clock_text(self.clock.seconds_left)
        return f"{count} · {left}" if left else count


def _log(event: Event, clock: Clock, console: Console) -> None:
    clock.hear(event)
    text = ""
    if event["event"] == "start" and event["units"]:
        count = sum(clock.runs[name] for _, name, _ in event["units"])
        text = f"{count} run{'' if count == 1 else 's'} to do"
    if event["event"] == "told":
        text = printable(event["text"])
    if event["event"] == "done":
        left = clock_text(clock.seconds_left)
        text = f"[{clock.count}] {clock.title(event)}: done{f', {left}' if left else ''}"
    if text:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
