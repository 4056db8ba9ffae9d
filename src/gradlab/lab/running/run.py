"""Run a design: what has no record yet, looks, results. Asking again returns what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Procedure, dump_procedure
from gradlab.lab.judging.evaluate import Context, evaluate
from gradlab.lab.judging.look import Look
from gradlab.lab.records.binding import Binder, Bound, Conditions, digest
from gradlab.lab.records.record import Record, Run, Store
from gradlab.lab.running.conditions import bind_design
from gradlab.lab.running.executing import cost_of, execute
from gradlab.lab.running.kept import kept_results, key_of
from gradlab.lab.running.local import Hear
from gradlab.lab.running.looks import look_at
from gradlab.lab.running.performing import clear
from gradlab.lab.running.ready import make_ready
from gradlab.lab.running.request import Request
from gradlab.lab.running.units import start_of, units
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError


def run_design(design: Design, request: Request, *, on_event: Hear = lambda _event: None) -> dict[str, Any]:
    """Run what has no record yet and evaluate the design; errors as for `judge_design`.

    Returns: the content of results.json.
    """
    return judge_design(design, request, on_event=on_event).results


@dataclass(frozen=True)
class Judged:
    """A design that was run: the content of results.json, the identity of its evaluation, and whether it was read from there."""

    results: dict[str, Any]
    key: str
    is_read: bool = False


def judge_design(design: Design, request: Request, *, on_event: Hear = lambda _event: None) -> Judged:
    """Run what has no record yet, and evaluate the design unless its report holds that very evaluation.

    Raises:
        UserError: a run failed, the folder cannot be written, or the disk is full; finished runs are kept.
    """
    binder = bind_design(design, request, make_ready(request))
    try:
        run_procedures([(arm.name, arm.procedure) for arm in design.arms], request, binder, on_event)
        runs = opened(design, request.seeds, binder, request.store)
        if request.objects is not None:  # also those that a killed process could not copy any more
            for name in runs.runs:
                request.objects.keep(request.store.get(name))
        context = context_of(request, binder.conditions, looks_of(design, request, binder.conditions))
        key = key_of(design, runs, context)
        kinds = request.toolbox.kinds.values()
        ours = all(
            one.configuration.__module__.startswith("gradlab.") for one in kinds
        )  # whose code the key tells
        kept = (
            kept_results(request.out / "reports" / request.report, key) if request.report and ours else None
        )
        if kept is not None:
            return Judged(kept, key, is_read=True)
        return Judged(evaluate(design, runs, context, request.toolbox.kinds), key)
    except OSError as error:
        raise UserError(disk_message(error)) from error


def run_procedures(
    wanted: Sequence[tuple[str, Procedure]], request: Request, binder: Binder, on_event: Hear
) -> None:
    """Run what of (label, procedure) has no record yet; what a choice waits for comes first."""
    waits = True
    while waits:
        missing, waits, finished = units(wanted, request.seeds, binder, request.store, cost_of(request))
        for name in finished:  # a process may have been killed after its last record
            clear(name, request.out)
        on_event(start_of(missing))
        execute(missing, request, on_event)


@dataclass(frozen=True)
class Opened:
    """The runs behind a design.

    Attributes:
        bound: (arm, seed) -> its binding. runs: hash -> run, of arms, of what they rest on, and of what was to choose from.
    """

    bound: Mapping[tuple[str, int], Bound]
    runs: Mapping[str, Run]


def opened(design: Design, seeds: Sequence[int], binder: Binder, store: Store) -> Opened:
    """Open the records of every arm and seed, of all that they rest on, and of all that was to choose from."""
    bound = {(arm.name, seed): binder.bind(arm.procedure, seed) for arm in design.arms for seed in seeds}
    runs: dict[str, Run] = {}
    for arm in design.arms:
        for below in binder.walk(arm.procedure, seeds):
            if below.has_record and below.hash not in runs:
                runs[below.hash] = store.get(below.hash)
    return Opened(bound, runs)


def context_of(request: Request, conditions: Conditions, looks: Mapping[str, Look]) -> Context:
    """Return what a result depends on besides design and records."""
    main = request.info(request.data)
    return Context(
        preset=request.preset,
        data=main.name,
        data_notes=tuple(main.notes),
        data_checksum=main.checksum,
        seeds=request.seeds,
        looks=looks,
        command=request.command,
        conditions=conditions,
        asked=request.asked,
    )


def looks_of(design: Design, request: Request, conditions: Conditions) -> dict[str, Look]:
    """Return which look at every claim this is, and remember it."""
    software = " ".join((request.precision, conditions.device, *conditions.software.values()))
    return {
        claim.id: look_at(
            request.out / "looks",
            claim_hash(design, claim, conditions),
            request.seeds,
            software,
            among=len(design.claims),
            delta=min(part.delta for part in claim.parts),
        )
        for claim in design.claims
    }


def claim_hash(design: Design, claim: Claim, conditions: Conditions) -> str:
    """Return the identity of a comparison: looks at it are counted, whatever its wording, delta or siblings."""
    arms = {arm.name: [dump_procedure(arm.procedure), dict(arm.at)] for arm in design.arms}
    parts = [
        [part.measure, part.contrast.constant, part.contrast.log]
        + [[weight, arms[arm]] for arm, weight in part.contrast.weights.items()]
        for part in claim.parts
    ]
    return digest([parts, dict(conditions.checksums)])[:20]


def open_record(request: Request, bound: Bound) -> Record:
    """Return the record of a run that has been made."""
    return request.store.get(bound.hash)
