"""Running units where a request says: on workers of this machine, on Ray, or in this process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from gradlab.lab.designing.procedure import Pick, Procedure, names_of, walk
from gradlab.lab.running.desk import DataCache
from gradlab.lab.running.here import run_here
from gradlab.lab.running.keeping import kept_in
from gradlab.lab.running.local import Hear, run_units
from gradlab.lab.running.performing import Bench
from gradlab.lab.running.ray import run_on_ray
from gradlab.lab.running.request import Request
from gradlab.lab.running.units import Unit


def cost_of(request: Request) -> Callable[[Procedure], float]:
    """Return what estimates the relative time of one run."""
    kinds = request.toolbox.kinds

    def cost(procedure: Procedure) -> float:
        counts = {name: request.info(name).counts for name in names_of(procedure)}
        return kinds[procedure.kind].cost(procedure, counts)  # type: ignore[no-any-return]

    return cost


def lives_here(procedure: Procedure, request: Request) -> bool:
    """Whether a procedure, or anything that it rests on, needs data or modules of this process."""
    kinds = request.toolbox.kinds
    return any(
        kinds[one.kind].here(one) or any(name in request.memory for name in names_of(one))
        for one in walk(procedure)
        if not isinstance(one, Pick)
    )


def execute(missing: list[Unit], request: Request, on_event: Hear) -> None:
    """Run units on worker processes; what needs something of this process, in it."""
    if not missing:
        return
    bench = Bench(
        toolbox=request.toolbox,
        out=request.out,
        cache=DataCache(request.toolbox.load),
        records=request.records,
        data_dir=request.data_dir,
        places=request.places,
        device=request.device if ":" in request.device else None,
        commit=current_commit(),
        memory=request.memory,
        modules=request.modules,
        objects=request.objects,
    )
    with kept_in(request.objects, missing, request.store, on_event) as hear:
        _execute(missing, bench, request, hear)


def _execute(missing: list[Unit], bench: Bench, request: Request, on_event: Hear) -> None:
    here = [unit for unit in missing if lives_here(unit.procedure, request)]
    away = [unit for unit in missing if unit not in here]
    if away:
        if request.executor == "ray":
            run_on_ray(away, bench, address=request.address, workers=request.workers, on_event=on_event)
        else:
            run_units(away, bench, on_event=on_event, workers=request.workers)
    if here:
        run_here(here, bench, on_event=on_event)


def current_commit() -> str | None:
    """Return the commit of gradlab's own source tree, with "+" when it has changes; None outside a checkout."""
    root = Path(__file__).resolve().parents[4]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, check=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src"], capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.decode().strip() + ("+" if changes.stdout.strip() else "")
