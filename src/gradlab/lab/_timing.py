"""Seconds of every unit of a study: a few of them timed on worker processes, the others by comparison."""

from __future__ import annotations

import contextlib
import queue
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import Popen

from gradlab.lab.designing.design import name_of
from gradlab.lab.running.desk import DataCache
from gradlab.lab.running.local import Event, send, task_of, usable_cores, worker_process
from gradlab.lab.running.performing import Bench
from gradlab.lab.running.request import Request
from gradlab.lab.running.units import Unit
from gradlab.types import UserError

BUDGET = 4.0
"""Seconds for timing, from the first answer on, so that a plan does not take longer than what it plans."""
ASSUMED_RATE = 1e-4
"""Seconds for one of what `Kind.cost` counts, where nothing of a study could be timed."""


def seconds_of(units: Sequence[Unit], request: Request) -> dict[str, float]:
    """Return unit -> seconds that it would take.

    As many processes time as would run, so that they get in each other's way as they will. What is too much for the
    time that there is, or cannot be timed before its inputs are there, is estimated from what is known to be alike.

    Raises:
        UserError: what a run refuses, such as data that are not there.
    """
    kinds = request.toolbox.kinds
    alike: dict[str, Unit] = {}
    for unit in units:
        if not unit.needs and kinds[unit.procedure.kind].is_timed:
            alike.setdefault(_sort(unit), unit)
    waiting = sorted(alike.values(), key=lambda unit: -unit.cost)
    timed = {_sort(unit): seconds for unit, seconds in _timed(waiting, request)}
    rates: dict[str, list[float]] = {}
    for unit in waiting:
        if _sort(unit) in timed and unit.cost > 0:
            rates.setdefault(unit.procedure.kind, []).append(timed[_sort(unit)] / unit.cost)
    every = [rate for some in rates.values() for rate in some] or [ASSUMED_RATE]

    rate = {kind: statistics.median(some) for kind, some in rates.items()}
    usual = statistics.median(every)
    return {
        unit.name: timed.get(_sort(unit), rate.get(unit.procedure.kind, usual) * unit.cost) for unit in units
    }


def _sort(unit: Unit) -> str:
    """Name what units have in common that take equally long: all but the seeds."""
    return f"{name_of(unit.procedure)} {len(unit.bounds)}"


def _timed(units: Sequence[Unit], request: Request) -> Iterator[tuple[Unit, float]]:
    """Time the units in their order until the time is over."""
    if not units:
        return
    waiting, busy = list(units), dict[int, Unit]()
    events: queue.Queue[Event] = queue.Queue()
    with contextlib.ExitStack() as stack:
        bench = _bench(Path(stack.enter_context(tempfile.TemporaryDirectory())), request)
        count = min(len(units), request.workers or usable_cores())
        workers = [stack.enter_context(worker_process(number, bench, events)) for number in range(count)]
        for number in range(count):
            busy[number] = _give(workers[number], waiting.pop(0), bench)
        end: float | None = None
        while busy and (end is None or time.monotonic() < end):
            event = _next(events, end)
            if event is None or event["event"] not in ("timed", "failed", "died"):
                continue
            if event["event"] != "timed":
                raise UserError(event["message"])
            end = end or time.monotonic() + BUDGET
            if event["seconds"] is not None:
                yield busy[event["worker"]], event["seconds"]
            del busy[event["worker"]]
            if waiting:
                busy[event["worker"]] = _give(workers[event["worker"]], waiting.pop(0), bench)


def _bench(folder: Path, request: Request) -> Bench:
    (folder / "work").mkdir()
    return Bench(
        toolbox=request.toolbox,
        out=folder,
        cache=DataCache(request.toolbox.load),
        records=(request.out / "records", *request.records),
        data_dir=request.data_dir,
        places=request.places,
        device=request.device if ":" in request.device else None,
    )


def _give(worker: Popen[bytes], unit: Unit, bench: Bench) -> Unit:
    send(worker, {**task_of(unit, bench), "measure": True})
    return unit


def _next(events: queue.Queue[Event], end: float | None) -> Event | None:
    wait = None if end is None else max(0.0, end - time.monotonic())
    with contextlib.suppress(queue.Empty):
        return events.get(timeout=wait)
    return None
