"""Some of a result's runs, done again from their data: the same bits, or on another machine nearly the same scores."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.data import info
from gradlab.lab.designing.design import read_design
from gradlab.lab.judging.verify import open_runs
from gradlab.lab.records.record import Run
from gradlab.lab.running.conditions import bind_procedures
from gradlab.lab.running.ready import make_ready
from gradlab.lab.running.request import Request
from gradlab.lab.running.run import run_procedures
from gradlab.procedures.toolbox import TOOLBOX
from gradlab.types import UserError

CLOSE = 0.02
"""By which a score may differ on another processor or with other software."""


@dataclass(frozen=True)
class Again:
    """What doing runs again showed: how many were compared, and what differs."""

    compared: int
    differences: tuple[str, ...]


def run_again(folder: Path, results: Mapping[str, Any], count: int, *, data_dir: str | None = None) -> Again:
    """Do `count` of the runs again, chosen at random, each with all that it rests on, and compare them.

    Raises:
        UserError: the data are not here, or a run needs a module that lives in somebody's process.
    """
    design, stored = read_design(results["design"], TOOLBOX.kinds), open_runs(folder, results)
    listed = random.SystemRandom().sample(results["runs"], min(count, len(results["runs"])))
    differences: list[str] = []
    with tempfile.TemporaryDirectory(prefix="gradlab-again-") as name:
        for run in listed:
            procedure = design.arm(run["arm"]).procedure
            request = Request(
                toolbox=TOOLBOX,
                preset=results["preset"],
                data=results["data"],
                info=lambda one: info(one, data_dir),
                data_dir=data_dir,
                seeds=(run["seed"],),
                out=Path(name),
                precision=results["conditions"]["precision"],
                device=results["conditions"]["device"],
            )
            binder = bind_procedures([procedure], request, make_ready(request))
            was = stored[run["record"]]
            _refuse_other_data(was, binder.bind(procedure, run["seed"]).spec)
            run_procedures([(run["arm"], procedure)], request, binder, lambda _: None)
            now = request.store.get(binder.bind(procedure, run["seed"]).hash)
            differences += _differences(f"run {was.hash} ({run['arm']}, seed {run['seed']})", was, now)
    return Again(len(listed), tuple(differences))


def _refuse_other_data(was: Run, now: Mapping[str, Any]) -> None:
    for name, checksum in was.spec["content"].items():
        if now["content"].get(name) != checksum:
            raise UserError(
                f"the data of '{name}' here are not those of the result, so its runs cannot be done again."
            )


def _differences(told: str, was: Run, now: Run) -> list[str]:
    """Compare column by column; where hardware or software differ, scores alone, to two points."""
    changed = [
        f"{table}.{column}"
        for table, listed in was.manifest["tables"].items()
        for column, digest in listed["columns"].items()
        if now.manifest["tables"].get(table, {}).get("columns", {}).get(column) != digest
    ]
    if not changed:
        return []
    origin = ("processor", *was.spec["software"])
    if all(was.made.get(name) == now.made.get(name) for name in origin):
        return [f"{told}, done again, differs in {', '.join(changed[:4])}"]
    scores = was.facts.get("test", {})
    far = [
        name
        for name in ("accuracy",)
        if name in scores and abs(scores[name] - now.facts["test"][name]) > CLOSE
    ]
    return (
        [f"{told}, done again on other hardware or software, differs in {', '.join(far)} by over two points"]
        if far
        else []
    )
