"""Local execution: units on worker processes, one thread each, the costliest chain first."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gradlab.lab.records.record import holds_only_ours
from gradlab.lab.running.locks import try_lock
from gradlab.lab.running.performing import Bench, checkpoint_of, clear
from gradlab.lab.running.units import Unit, dump_unit, path_costs
from gradlab.types import UserError

ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",  # keep large buffers instead of returning them to the system at every step
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "WORLD_SIZE": "1",  # a worker trains by itself, even below a process that torchrun started
}
Event = dict[str, Any]
Hear = Callable[[Event], None]


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def run_units(units: Sequence[Unit], bench: Bench, *, on_event: Hear, workers: int | None = None) -> None:
    """Run units on worker processes until all have records.

    A unit that another process is running is waited for, not run twice. A killed unit goes on from its last
    checkpoint when it is asked for again.

    Raises:
        UserError: a run failed or a worker died; finished runs are kept.
    """
    count = min(len(units), workers or usable_cores())
    on_event({"event": "status", "text": f"starting {count} worker{'s' if count > 1 else ''}"})
    events: queue.Queue[Event] = queue.Queue()
    with contextlib.ExitStack() as stack:
        names = [stack.enter_context(worker_process(number, bench, events)) for number in range(count)]
        team = _Team(names, Waiting(units, bench), bench, on_event)
        while team.goes_on:
            team.give()
            with contextlib.suppress(queue.Empty):  # a unit that another process holds may be free now
                team.hear(events.get(timeout=0.5))
    if team.failure is not None:
        raise UserError(team.failure)


class Waiting:
    """Units that nobody has taken yet."""

    def __init__(self, units: Sequence[Unit], bench: Bench) -> None:
        costs = path_costs(units)
        self.units = sorted(units, key=lambda unit: -costs[unit.name])
        self.undone = {unit.name for unit in units}
        self.bench = bench

    def claim(self, on_event: Hear) -> tuple[Unit, IO[bytes]] | None:
        """Take the first unit that no other process holds and whose inputs are there; drop those that others finished."""
        for unit in list(self.units):
            if any(name in self.undone for name in unit.needs):
                continue
            held = try_lock(self.bench.out / "work" / f"{unit.name}.lock")
            if held is None:
                continue
            self.units.remove(unit)
            if all(self.bench.store.find(one.hash) for one in unit.bounds):
                clear(unit.name, self.bench.out)
                held.close()
                self.undone.discard(unit.name)
                on_event({"event": "done", "unit": unit.name, "label": unit.label})
                continue
            clear_halves(unit, self.bench)
            return unit, held
        return None


def clear_halves(unit: Unit, bench: Bench) -> None:
    """Remove what a killed process left half-written; its unit is held, so nobody writes there."""
    for bound in unit.bounds:
        for folder in bench.store.own.glob(f".{bound.hash}.*.tmp"):
            if holds_only_ours(folder):
                shutil.rmtree(folder, ignore_errors=True)
    path = checkpoint_of(unit.name, bench.out)
    for pattern in (f".{path.name}.*", f"{path.name}.*.tmp"):
        for file in path.parent.glob(pattern):
            file.unlink(missing_ok=True)
    for file in path.with_suffix(".parts").glob(".*.part"):
        file.unlink(missing_ok=True)


@dataclass
class _Team:
    """Workers, what each is doing, and what went wrong first."""

    workers: list[subprocess.Popen[bytes]]
    waiting: Waiting
    bench: Bench
    on_event: Hear
    busy: dict[int, tuple[Unit, IO[bytes]]] = field(default_factory=dict)
    failure: str | None = None

    @property
    def goes_on(self) -> bool:
        return bool(self.busy or (self.waiting.units and self.failure is None))

    def give(self) -> None:
        """Give every idle worker something to do."""
        for number in range(len(self.workers)):
            if number in self.busy or self.failure is not None:
                continue
            claimed = self.waiting.claim(self.on_event)
            if claimed is not None:
                self.busy[number] = claimed
                send(self.workers[number], task_of(claimed[0], self.bench))

    def hear(self, event: Event) -> None:
        """Take in what a worker says."""
        number = event.pop("worker")
        if number not in self.busy:  # it died while it had nothing to do
            self.failure = self.failure or (event.get("message") if self.waiting.units else None)
            return
        unit, held = self.busy[number]
        if event["event"] in ("progress", "status"):
            self.on_event(event | {"unit": unit.name, "label": unit.label})
            return
        del self.busy[number]
        held.close()
        if event["event"] == "done":
            self.waiting.undone.discard(unit.name)
            self.on_event(event | {"unit": unit.name, "label": unit.label})
        else:
            kept = self._kept_log(unit, event.get("log"))
            self.failure = self.failure or event["message"] + (f" Its log is {kept}." if kept else "")

    def _kept_log(self, unit: Unit, log: str | None) -> Path | None:
        """Name the log of a worker that died after the unit it was doing, with which it goes; None if it has none."""
        if log is None:
            return None
        kept = checkpoint_of(unit.name, self.bench.out).with_suffix(".log")
        with contextlib.suppress(OSError):
            return Path(log).replace(kept)
        return None


def task_of(unit: Unit, bench: Bench) -> dict[str, Any]:
    """Return what a worker is told: what to do, and where everything lies."""
    return {
        "unit": dump_unit(unit),
        "out": str(bench.out),
        "records": [str(folder) for folder in bench.records],
        "data_dir": bench.data_dir,
        "places": dict(bench.places),
        "device": bench.device,
        "commit": bench.commit,
    }


def send(process: subprocess.Popen[bytes], task: dict[str, Any]) -> None:
    """Give a worker something to do."""
    assert process.stdin is not None  # it is a pipe
    with contextlib.suppress(BrokenPipeError):  # its death arrives as an event
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.flush()


@contextlib.contextmanager
def worker_process(
    number: int, bench: Bench, events: queue.Queue[Event]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker whose events arrive in the queue; it ends with the block."""
    path = bench.out / "work" / f"worker-{os.getpid()}-{uuid.uuid4().hex[:8]}-{number}.log"
    log = try_lock(path)
    assert log is not None  # its name is nobody else's
    with log:  # locked until the worker, too, has gone
        process = subprocess.Popen(
            [sys.executable, "-m", bench.toolbox.worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | ENVIRONMENT,
        )
        ended = threading.Event()
        reader = threading.Thread(target=_read, args=(process, number, path, events, ended), daemon=True)
        reader.start()
        try:
            yield process
        finally:  # here it has no task, or nobody waits for it any more
            ended.set()
            process.kill()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
            reader.join(timeout=5)
            process.stdout.close()  # type: ignore[union-attr]
            path.unlink(missing_ok=True)


def clear_logs(folder: Path) -> None:
    """Remove the logs of workers that were killed with their parents; that of a worker that died goes with its unit."""
    for path in folder.glob("worker-*.log"):
        held = try_lock(path)
        if held is not None:
            with held:
                path.unlink(missing_ok=True)


def _read(
    process: subprocess.Popen[bytes],
    number: int,
    path: Path,
    events: queue.Queue[Event],
    ended: threading.Event,
) -> None:
    """Pass on what a worker says, and its death, unless it was ended here."""
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        with contextlib.suppress(ValueError):  # cut off in the middle by its death
            events.put(json.loads(line) | {"worker": number})
    if ended.is_set():
        return
    lines = log_lines(path)
    last = f" ({lines[-1][:300]})" if lines else ""
    message = f"a worker process died{last}; ask again to go on from the last checkpoint."
    events.put({"event": "died", "message": message, "worker": number, "log": str(path) if lines else None})


def log_lines(path: Path) -> list[str]:
    """Return the lines of a log, whatever bytes it holds; none where it is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return []
