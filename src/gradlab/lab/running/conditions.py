"""What names the records of a request: the data, weights, device and software that its runs depend on."""

from __future__ import annotations

from pathlib import Path

from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Pick, Procedure, names_of, walk
from gradlab.lab.judging.choice import choice_of
from gradlab.lab.judging.results import Results
from gradlab.lab.records.binding import (
    Binder,
    Bound,
    Conditions,
    PendingError,
    content_of,
    refuse_test_choice,
    software_of,
)
from gradlab.lab.records.record import checksum
from gradlab.lab.running.request import Request
from gradlab.types import UserError

THREADS = 1
"""Of PyTorch inside a run."""


def bind_design(design: Design, request: Request, device: str) -> Binder:
    """Return what names the records of a design under the conditions of a request; errors as below."""
    return bind_procedures(list(design.procedures), request, device)


def bind_procedures(procedures: list[Procedure], request: Request, device: str) -> Binder:
    """Return what names the records of procedures under the conditions of a request.

    Raises:
        UserError: data or weights are not there, or hold something else, or a choice would look at test data.
    """
    kinds = request.toolbox.kinds
    for one in (below for procedure in procedures for below in walk(procedure)):
        if isinstance(one, Pick):
            refuse_test_choice(one, kinds)
        else:
            _refuse_other_data(one, request)
    conditions = conditions_of(procedures, request, device)
    return Binder(kinds, conditions, lambda pick, among: _choose(pick, among, request))


def conditions_of(
    procedures: list[Procedure], request: Request, device: str, threads: int = THREADS, processes: int = 1
) -> Conditions:
    """Return what runs of these procedures depend on beside themselves and their seeds."""
    kinds = request.toolbox.kinds
    return Conditions(
        device=device,
        precision=request.precision,
        threads=threads,
        processes=processes,
        checksums=content_of(procedures, lambda name: request.info(name).checksum, _weights_checksum),
        software=software_of(procedures, kinds),
        versions={name: kind.version for name, kind in kinds.items()},
    )


EXAMPLES = {"images": "digits", "text": "rotten-tomatoes"}


def _refuse_other_data(procedure: Procedure, request: Request) -> None:
    """Refuse images where texts are read, and the other way round."""
    reads = request.toolbox.kinds[procedure.kind].reads
    names = list(names_of(procedure))
    if reads == "either":
        reads = request.info(names[0]).holds
    for name in names if reads else ():
        holds = request.info(name).holds
        if holds != reads:
            words = {"images": "images", "text": "texts"}
            raise UserError(
                f"this study reads {words[reads]}, and '{name}' holds {words[holds]}; give data such as {EXAMPLES[reads]}."
            )


def _weights_checksum(path: str) -> str:
    found = checksum(Path(path))
    if not found:
        raise UserError(f"there is no weights file {path}; give the path of a .safetensors file.")
    return f"sha256:{found}"


def _choose(pick: Pick, among: tuple[Bound, ...], request: Request) -> int:
    found = [request.store.find(one.hash) for one in among]
    if any(record is None for record in found):
        raise PendingError(among)
    kinds = request.toolbox.kinds
    results = [Results(one, kinds[one.spec["procedure"]["kind"]]) for one in found if one is not None]
    return choice_of(pick, results)
