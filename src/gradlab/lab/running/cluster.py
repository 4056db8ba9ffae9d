"""Units on a cluster: the ready ones are handed over, costliest chain first; what a lost worker was doing is done again."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Protocol

from gradlab.lab.running.local import Event, Hear, Waiting, clear_halves, log_lines, task_of
from gradlab.lab.running.performing import Bench, checkpoint_of
from gradlab.lab.running.remote import code_digest
from gradlab.lab.running.units import Unit
from gradlab.types import UserError

LOSSES = 3
"""How often a unit is done again after its worker was lost."""
MOST = 400
"""Units that are handed over at once; each holds a file that says so to other processes."""
PATIENCE = 10.0
"""Seconds after which a finished record has to be seen here: shared folders may show it late."""


@dataclass(frozen=True)
class Needs:
    """What every unit of a study needs: cores and GPUs."""

    cpus: int = 1
    gpus: int = 0


class Cluster(Protocol):
    """Runs tasks on other processes, wherever they are: Ray, or a test's own."""

    slots: int
    """How many tasks it can do at a time now."""

    def submit(self, unit: str, task: Event) -> None:
        """Begin a task as soon as there is room."""

    def hear(self, seconds: float) -> list[Event]:
        """Return what was said, within that time: events of tasks, with the name of their "unit".

        "progress" and "status" come before the end of their unit, which is one of: "done"; "failed" (message), which a
        person can mend; "crashed" (text), a fault; "lost" (message), its worker is gone.

        Raises:
            UserError: the cluster is gone.
        """


def run_on(cluster: Cluster, units: Sequence[Unit], bench: Bench, *, on_event: Hear) -> None:
    """Run units on a cluster until all have records.

    Raises:
        UserError: a run failed, its worker was lost again and again, or the cluster is gone; finished runs are kept.
    """
    bench = _with_whole_paths(bench)
    with contextlib.ExitStack() as stack:
        mark = stack.enter_context(
            _marked(bench.out / "work") if bench.objects is None else bench.objects.marked()
        )
        team = _Team(cluster, Waiting(units, bench), bench, on_event, {"mark": mark, **_surroundings(bench)})
        stack.callback(team.let_go)
        while team.goes_on:
            team.give()
            for event in cluster.hear(0.5):
                team.hear(event)
    if team.failure is not None:
        raise UserError(team.failure)


def _with_whole_paths(bench: Bench) -> Bench:
    """Say where everything is so that a process in another folder finds it; names of data stay names."""
    places = {
        name: str(Path(one).absolute()) if Path(one).exists() else one for name, one in bench.places.items()
    }
    return replace(
        bench,
        out=bench.out.absolute(),
        records=tuple(folder.absolute() for folder in bench.records),
        data_dir=None if bench.data_dir is None else str(Path(bench.data_dir).absolute()),
        places=places,
    )


@contextlib.contextmanager
def _marked(work: Path) -> Iterator[str]:
    """Lay a file of a name that nobody else has into the working folder, by which workers see that it is the same one."""
    path = work / f"cluster-{uuid.uuid4().hex}.mark"
    path.touch()
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


def _surroundings(bench: Bench) -> Event:
    """Return what a worker elsewhere has to be told beside its task."""
    url = None if bench.objects is None else bench.objects.url
    return {"folder": str(Path.cwd()), "code": code_digest(), "toolbox": bench.toolbox.worker, "store": url}


@dataclass
class _Team:
    """What was handed over, how often its workers were lost, and what went wrong first."""

    cluster: Cluster
    waiting: Waiting
    bench: Bench
    on_event: Hear
    told: Event
    busy: dict[str, tuple[Unit, IO[bytes]]] = field(default_factory=dict)
    losses: Counter[str] = field(default_factory=Counter)
    failure: str | None = None

    @property
    def goes_on(self) -> bool:
        return bool(self.busy or (self.waiting.units and self.failure is None))

    def give(self) -> None:
        """Hand over what is ready: as much as there is room for, and some more, so that nobody waits and more is asked for."""
        most = min(MOST, self.cluster.slots * 3 // 2 + 1)
        while len(self.busy) < most and self.failure is None:
            claimed = self.waiting.claim(self.on_event)
            if claimed is None:
                return
            self.busy[claimed[0].name] = claimed
            self._log(claimed[0]).unlink(missing_ok=True)  # of another time
            self._submit(claimed[0])

    def _log(self, unit: Unit) -> Path:
        return checkpoint_of(unit.name, self.bench.out).with_suffix(".log")

    def _submit(self, unit: Unit) -> None:
        self.cluster.submit(unit.name, task_of(unit, self.bench) | self.told)

    def hear(self, event: Event) -> None:
        """Take in what the cluster says."""
        if event["unit"] not in self.busy:
            return
        unit, held = self.busy[event["unit"]]
        named = {"unit": unit.name, "label": unit.label}
        if event["event"] in ("progress", "status"):
            self.on_event(event | named)
            return
        if event["event"] == "lost" and self.failure is None and self.losses[unit.name] < LOSSES:
            self.losses[unit.name] += 1
            self.on_event({"event": "told", "text": f"{unit.title}: {event['message']}; it is done again."})
            self._submit(unit)
            return
        problem = self._finish(unit) if event["event"] == "done" else self._problem(unit, event)
        del self.busy[unit.name]
        held.close()
        self.failure = self.failure or problem
        if problem is None:
            self.waiting.undone.discard(unit.name)
            self.on_event({"event": "done", **named})

    def _finish(self, unit: Unit) -> str | None:
        """See that the records of a finished unit are here, and remove what lost workers left of it."""
        end = time.monotonic() + PATIENCE
        while not all(self.bench.store.find(one.hash) for one in unit.bounds):
            if time.monotonic() > end:
                return f"{unit.title} has finished, but its record is not in {self._where()}."
            time.sleep(0.1)
        if self.losses[
            unit.name
        ]:  # its record stands, so that a worker that was only thought lost can harm nothing
            clear_halves(unit, self.bench)
        return None

    def _where(self) -> str:
        if self.bench.objects is not None:
            return f"{self.bench.objects.url}; give a --store that all nodes of the cluster reach"
        return f"{self.bench.out}; give an --out folder that all nodes of the cluster share"

    def _problem(self, unit: Unit, event: Event) -> str:
        if event["event"] == "failed":
            return str(event["message"])
        log = self._log(unit)
        if event["event"] == "crashed":
            with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
                file.write(event["text"] + "\n")
        lines = log_lines(log)
        last = f" ({lines[-1][:300]})" if lines else ""
        what = (
            "a fault ended"
            if event["event"] == "crashed"
            else f"{event['message']}, {LOSSES + 1} times, doing"
        )
        kept = f" Its log is {log}." if lines else ""
        return f"{what} {unit.title}{last}; ask again to go on from the last checkpoint.{kept}"

    def let_go(self) -> None:
        """Leave what is being done to other processes."""
        for _, held in self.busy.values():
            held.close()


def needs_of(unit: Unit) -> Needs:
    """Return what a unit needs, as its spec says; all units of a study need the same."""
    spec = unit.bounds[0].spec
    return Needs(cpus=spec["threads"], gpus=1 if spec["device"] == "cuda" else 0)
