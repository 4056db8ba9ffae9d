"""Kinds of procedures that need no torch and no time, so that the laboratory can be tried without either.

`python -m tests.lab.toys` is the program of their worker processes.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Measure, Outcome
from gradlab.lab.running.desk import Desk, Job, Progress, Toolbox
from gradlab.lab.running.worker import serve
from gradlab.types import STRICT, Count, NonNegativeFloat, UserError

PARTS = 4
"""Of the work of one seed; each is a file, from which killed work goes on."""
TROUBLE = "GRADLAB_TOY_TROUBLE"
"""Environment variable: a folder in which every trouble that was made leaves a file, so that it is made once."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Draw(Procedure):
    """Draw numbers around a mean; `pause` seconds a part."""

    kind: Literal["draw"] = "draw"
    data: DataName = "made"
    mean: float = 0.5
    count: Count = 24
    pause: NonNegativeFloat = 0.0
    trouble: str = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sum(Procedure):
    """Add what others drew; nothing of it is random."""

    kind: Literal["sum"] = "sum"
    of: tuple[Input, ...]
    factor: float = 1.0
    pause: NonNegativeFloat = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Constant(Procedure):
    """A source: a number that lives in this process."""

    kind: Literal["constant"] = "constant"
    name: str
    digest: str


def _draw(procedure: Draw, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    assert desk.data(procedure.data) == procedure.data
    for number, job in enumerate(jobs):

        def make(part: int, job: Job = job, number: int = number) -> dict[str, Any]:
            if procedure.trouble and part == 1 and number == 0:
                _make(procedure.trouble)
            time.sleep(procedure.pause)
            drawn = procedure.mean + job.generator("x", part).normal(size=procedure.count // PARTS)
            share = (number + (part + 1) / PARTS) / len(jobs)
            desk.tell(
                Progress(share, f"part {part + 1}", ((job.seed, part + 1, {"mean": float(drawn.mean())}),))
            )
            return {"x": drawn}

        parts = desk.in_parts(f"seed {job.seed}", PARTS, make)
        x = np.concatenate([part["x"] for part in parts])
        curve = {
            "step": np.arange(PARTS, dtype=np.int32),
            "value": np.array([part["x"].mean() for part in parts]),
        }
        yield _outcome(x, {"curve": curve}, {"x": x.astype(np.float32)})


def _sum(procedure: Sum, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    for job in jobs:
        time.sleep(procedure.pause)
        total = np.zeros(())
        for name in job.inputs:
            source = job.inputs[name]
            own = (
                source.table("numbers")["x"]
                if hasattr(source, "table")
                else desk.modules[source.procedure.name]
            )
            total = total + own
        yield _outcome(procedure.factor * total, {}, {})


def _outcome(x: np.ndarray, tables: Mapping[str, Any], weights: Mapping[str, Any]) -> Outcome:
    numbers = {
        "x": x,
        "hit": (x > 0).astype(np.uint8),
        "group": np.array(["even", "odd"] * (len(x) // 2)),
    }
    facts = {"status": "finished", "note": None, "mean": float(x.mean()), "class_names": ["no", "yes"]}
    return Outcome(facts, {"numbers": numbers, **tables}, dict(weights))


def _make(trouble: str) -> None:
    """Make a trouble the first time that it is asked for."""
    mark = Path(os.environ[TROUBLE]) / trouble
    if mark.exists():
        return
    mark.touch()
    if trouble == "refuse":
        raise UserError("this cannot be drawn; take another mean.")
    if trouble == "warn":
        os.write(2, b"a library warns\n")
        return
    if trouble == "memory":
        raise MemoryError
    if trouble == "disk":
        raise OSError(28, "No space left on device")
    if trouble == "crash":
        raise RuntimeError("a fault of the library")
    logs = list(Path(os.environ[TROUBLE]).parent.glob("**/work/worker-*.log"))
    if trouble == "log-bytes":
        os.write(2, b"\xff\xfe not UTF-8 \xc3\n")
    if trouble == "log-gone":
        for log in logs:
            log.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


def _check(run: Results) -> list[str]:
    numbers = run.table("numbers")
    if "x" not in numbers or "hit" not in numbers:
        return []
    wrong = [] if np.array_equal(numbers["hit"] == 1, numbers["x"] > 0) else ["hit"]
    return wrong + ([] if np.isclose(run.facts["mean"], numbers["x"].mean()) else ["mean"])


def _hits(run: Results) -> np.ndarray:
    return run.table("numbers")["hit"].astype(float)


MEASURES = (
    Measure(
        "hit rate",
        "fraction",
        "higher",
        lambda run: float(_hits(run).mean()),
        lambda run: {run.axis("test"): _hits(run)},
        range=(0, 1),
        exact=True,
    ),
    Measure("mean", "nats", "neither", lambda run: float(run.facts["mean"])),
    Measure("distance", "nats", "lower", lambda run: abs(float(run.facts["mean"])), on="validation"),
)
NUMBERS = {
    "x": Column("drawn number"),
    "hit": Column("hit", "fraction", (0.0, 1.0)),
    "group": Column("group"),
}
DRAW = Kind(
    name="draw",
    title="drawing",
    configuration=Draw,
    work=_draw,
    tables={"numbers": NUMBERS, "curve": {"value": Column("mean of a part", range=(-9.0, 9.0))}},
    measures={one.name: one for one in MEASURES},
    views={"positive": lambda run: {"x": run.table("numbers")["x"][run.table("numbers")["hit"] == 1]}},
    learned=lambda run: bool(_hits(run).mean() > 0.1),
    check=_check,
    block=lambda *_: 3,
    software=("numpy",),
    cost=lambda procedure, _: float(procedure.count),
)
SUM = Kind(
    name="sum",
    title="adding",
    configuration=Sum,
    work=_sum,
    tables={"numbers": NUMBERS},
    measures={one.name: one for one in MEASURES},
    check=_check,
    draws=False,
    software=("numpy",),
    cost=lambda *_: 5.0,
)
CONSTANT = Kind(
    name="constant", title="a number", configuration=Constant, draws=False, here=lambda _: True, software=()
)


def _unpack(path: Path) -> dict[str, Any]:
    try:
        return load(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged; delete it and ask again.") from error


TOOLBOX = Toolbox(
    kinds={kind.name: kind for kind in (DRAW, SUM, CONSTANT)},
    worker="tests.lab.toys",
    load=lambda name, _folder, _checksum: name,
    generator=lambda seed, _device: np.random.default_rng(seed),
    pack=lambda tensors: save({name: np.ascontiguousarray(value) for name, value in tensors.items()}),
    unpack=_unpack,
    threads=lambda count: count,
)


if __name__ == "__main__":
    serve(TOOLBOX)
