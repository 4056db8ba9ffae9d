"""One unit of work, done: jobs from records, the procedure's own work, records from its outcomes."""

from __future__ import annotations

import contextlib
import platform
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradlab import __version__
from gradlab.lab.records.binding import Bound
from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.records.placing import write_record
from gradlab.lab.records.record import BULK, WEIGHTS, Store
from gradlab.lab.running.desk import DataCache, Desk, Job, Progress, Source, Toolbox
from gradlab.lab.running.units import Unit


@dataclass(frozen=True)
class Bench:
    """Where units are done: folders, data, and what lives in this process.

    Attributes:
        out: folder that holds everything. records: further folders of records, which are only read.
        objects: store from which records are fetched that are not in these. commit: of the code.
        device: which of several of the kind that specs name.
    """

    toolbox: Toolbox
    out: Path
    cache: DataCache
    records: tuple[Path, ...] = ()
    data_dir: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    commit: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    objects: ObjectStore | None = None

    @property
    def store(self) -> Store:
        """Where the records are."""
        return Store(self.out / "records", self.records, self.objects.fetch if self.objects else None)


def perform(unit: Unit, bench: Bench, tell: Callable[[Progress], None]) -> None:
    """Do a unit and write its records; it goes on from its checkpoint and its finished parts."""
    kind = bench.toolbox.kinds[unit.procedure.kind]
    desk = _desk(unit, bench, tell)
    jobs = _jobs(unit, desk, bench.store)
    with _threads(bench.toolbox, desk.threads), _Meter() as meter:
        for bound, outcome in zip(unit.bounds, kind.work(unit.procedure, jobs, desk), strict=True):
            spent = outcome.seconds if outcome.seconds is not None else meter.lap() / len(jobs)
            tensors = {WEIGHTS: outcome.weights, BULK: outcome.bulk}
            write_record(
                bench.out / "records",
                bound,
                facts=outcome.facts,
                made=made(bound, spent, meter.peak_mb(), bench.commit),
                tables=outcome.tables,
                tensors={name: bench.toolbox.pack(value) for name, value in tensors.items() if value},
            )
    clear(unit.name, bench.out)


def measure(unit: Unit, bench: Bench) -> float | None:
    """Return the seconds that a unit would take, from a few steps; None where its kind cannot tell."""
    kind = bench.toolbox.kinds[unit.procedure.kind]
    if not kind.is_timed:
        return None
    desk = _desk(unit, bench, lambda _: None)
    jobs = _jobs(unit, desk, bench.store)
    with _threads(bench.toolbox, desk.threads):
        if kind.time is not None:
            return float(kind.time(unit.procedure, jobs, desk))
        pace = kind.pace(unit.procedure, jobs[0], desk) if kind.pace is not None else None
        return None if pace is None else pace * unit.cost


def _desk(unit: Unit, bench: Bench, tell: Callable[[Progress], None]) -> Desk:
    spec = unit.bounds[0].spec
    return Desk(
        toolbox=bench.toolbox,
        device=bench.device or spec["device"],
        precision=spec["precision"],
        threads=spec["threads"],
        checkpoint=checkpoint_of(unit.name, bench.out),
        cache=bench.cache,
        content=spec["content"],
        data_dir=bench.data_dir,
        places=bench.places,
        memory=bench.memory,
        modules=bench.modules,
        tell=tell,
    )


def _jobs(unit: Unit, desk: Desk, store: Store) -> list[Job]:
    return [Job(one.seed, _inputs(one, store), one.spec, desk, store) for one in unit.bounds]


def checkpoint_of(unit: str, out: Path) -> Path:
    """Return the file from which the killed work of a unit, given by its name, goes on."""
    return out / "work" / f"{unit}.safetensors"


def clear(unit: str, out: Path) -> None:
    """Remove the checkpoint and the finished parts of a unit, and the log of a worker that died over it."""
    path = checkpoint_of(unit, out)
    path.unlink(missing_ok=True)
    path.with_suffix(".log").unlink(missing_ok=True)
    shutil.rmtree(path.with_suffix(".parts"), ignore_errors=True)


def _inputs(bound: Bound, store: Store) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in bound.inputs.items():
        if one.has_record:
            found[name] = store.get(one.hash)
            _ = found[name].spec  # refused where another record lies under this name
        else:
            found[name] = Source(one.procedure, one.hash)
    return found


@contextlib.contextmanager
def _threads(toolbox: Toolbox, count: int) -> Iterator[None]:
    before = toolbox.threads(count)
    try:
        yield
    finally:
        toolbox.threads(before)


class _Meter:
    """Seconds, and the peak of this process's memory since the unit began."""

    def __enter__(self) -> _Meter:
        self.begun = time.perf_counter()
        with contextlib.suppress(OSError):  # not Linux, or not allowed: the process's peak remains
            Path("/proc/self/clear_refs").write_text("5")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lap(self) -> float:
        """Seconds since the unit began."""
        return time.perf_counter() - self.begun

    def peak_mb(self) -> float:
        """Return the peak resident memory in MB."""
        status = Path("/proc/self/status")
        if status.exists():
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def made(bound: Bound, seconds: float, peak: float, commit: str | None) -> dict[str, Any]:
    """Say how a run came about: cost, versions, hardware and date; no host name, user or path."""
    return {
        "seconds": seconds,
        "peak_memory_mb": peak,
        "gradlab": __version__,
        "python": platform.python_version(),
        **bound.spec["software"],
        "commit": commit,
        "processor": processor_name(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def processor_name() -> str:
    """Return the processor's model name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def within(tell: Callable[[Progress], None], start: float, share: float) -> Callable[[Progress], None]:
    """Return what tells the progress of one piece of a unit as that of the unit."""
    return lambda one: tell(replace(one, share=start + share * one.share, given=start + share * one.given))
