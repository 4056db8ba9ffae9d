"""Designs that cannot run, refused before anything does."""

from __future__ import annotations

from gradlab.data.registry import MADE_OF
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.measured import refuse_unmeasured
from gradlab.lab.designing.procedure import names_of, walk
from gradlab.lab.running.desk import place_of
from gradlab.lab.running.request import Request
from gradlab.types import UserError


def refuse_unfit(design: Design, request: Request) -> None:
    """Refuse kinds that nobody knows, measures that no run has, and data that no run reads or that lack a part.

    Raises:
        UserError: says which, and what to do.
    """
    kinds = request.toolbox.kinds
    parts = [part for procedure in design.procedures for part in walk(procedure)]
    unknown = [part.kind for part in parts if part.kind not in (*kinds, "pick")]
    if unknown:
        raise UserError(
            f"study '{design.study}' has runs of kind '{unknown[0]}', which gradlab does not know; pass its Kind: "
            "procedures=[...]."
        )
    read = list(dict.fromkeys(name for part in parts for name in names_of(part)))
    asked_for = (request.data, *(one for one, of in MADE_OF.items() if of == request.data))
    if read and not any(place_of(name, dict.fromkeys(asked_for, "")) != name for name in read):
        raise UserError(
            f"study '{design.study}' reads {', '.join(read)}, not '{request.data}'; say so with data=...."
        )
    refuse_unmeasured(design, kinds)
    asked = [one for part in parts if part.kind != "pick" for one in kinds[part.kind].asks(part)]
    for name, wanted in dict.fromkeys(asked):
        if not any(request.info(name).counts.get(one) for one in wanted):
            raise UserError(
                f"study '{design.study}' needs the {' or '.join(wanted)} part of '{name}', and it has none here; choose other "
                "data, or add that part."
            )
