"""One run of one procedure, outside any study: a unit like every other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gradlab.lab.designing.procedure import Pick, Procedure
from gradlab.lab.records.binding import Binder, Bound
from gradlab.lab.records.record import Record
from gradlab.lab.running.conditions import conditions_of
from gradlab.lab.running.executing import cost_of, execute
from gradlab.lab.running.local import Hear
from gradlab.lab.running.locks import STUDY, shared
from gradlab.lab.running.performing import checkpoint_of
from gradlab.lab.running.ready import make_ready
from gradlab.lab.running.request import Request
from gradlab.lab.running.units import start_of, units
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError


@dataclass(frozen=True)
class Single:
    """A run that has its record.

    Attributes:
        was_there: before it was asked for. went_on: it began from a checkpoint, or from finished parts.
    """

    record: Record
    was_there: bool
    went_on: bool


def run_single(
    procedure: Procedure,
    request: Request,
    *,
    threads: int,
    processes: int = 1,
    label: str,
    on_event: Hear = lambda _event: None,
) -> Single:
    """Make the record of a procedure at the request's one seed, unless it is there; `processes` train it together.

    Raises:
        UserError: the run failed, the folder cannot be written, or the disk is full.
    """
    (seed,) = request.seeds
    conditions = conditions_of([procedure], request, make_ready(request), threads, processes)
    binder = Binder(request.toolbox.kinds, conditions, _refuse)
    bound = binder.bind(procedure, seed)
    try:
        with shared(request.out / "work" / STUDY):
            planned = units([(label, procedure)], request.seeds, binder, request.store, cost_of(request))
            missing = planned.missing
            went_on = any(_was_begun(checkpoint_of(unit.name, request.out)) for unit in missing)
            on_event(start_of(missing))
            execute(missing, request, on_event)
    except OSError as error:
        raise UserError(disk_message(error, kept="")) from error
    return Single(request.store.get(bound.hash), not missing, went_on)


def _was_begun(checkpoint: Path) -> bool:
    return checkpoint.exists() or checkpoint.with_suffix(".parts").exists()


def _refuse(_pick: Pick, _among: tuple[Bound, ...]) -> int:
    raise UserError("a single run chooses nothing; name the procedure itself.")
