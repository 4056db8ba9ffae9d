"""What a design asks of its arms: measures that their kinds of run have. Known before anything runs."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.procedure import Kinds
from gradlab.lab.designing.shown import Table
from gradlab.lab.kinds import Measure, kind_of
from gradlab.types import UserError


def refuse_unmeasured(design: Design, kinds: Kinds) -> None:
    """Refuse a claim or a table about a measure that its arms do not have, which would be noticed after the last run.

    Raises:
        UserError: says which, and which measures there are.
    """
    for claim in design.claims:
        for part in claim.parts:
            for arm in part.contrast.weights:
                measure_of(design.arm(arm), part.measure, kinds)
    for table in design.tables:
        arms = rows_of(table, design, kinds)
        if table.minus or table.signs:
            _refuse_unknown_changes(table, arms, design, kinds)


def measure_of(arm: Arm, name: str, kinds: Kinds) -> Measure:
    """Return a measure as the kind of an arm has it.

    Raises:
        UserError: it has none of that name.
    """
    measures = kind_of(arm.procedure, kinds).measures
    if name not in measures:
        raise UserError(f"arm '{arm.name}' has no measure '{name}'; it has {', '.join(measures)}.")
    return measures[name]


def _refuse_unknown_changes(table: Table, arms: list[Arm], design: Design, kinds: Kinds) -> None:
    """Refuse a table of changes of which a row has no arm to be compared with, or no arm a factor."""
    known = {arm.name: arm for arm in design.arms}
    for arm in arms:
        other = table.minus.get(arm.name)
        if other not in known:
            raise UserError(
                f"table '{table.name}' shows changes, and its `minus` names no arm of the study to take from '{arm.name}'."
            )
        for name in table.measures:
            measure_of(known[other], name, kinds)
    for factor in table.signs:
        if not any(factor in arm.factors for arm in arms):
            raise UserError(
                f"table '{table.name}' asks for the factor '{factor}', which none of its arms has."
            )


def rows_of(table: Table, design: Design, kinds: Kinds) -> list[Arm]:
    """Return the arms that are rows of a table: the named ones, else all that are no choice and have its measures.

    Raises:
        UserError: no arm has them, or a named one lacks one.
    """
    wanted = set(table.measures)
    if table.arms:
        arms = [arm for arm in design.arms if arm.name in table.arms]
        for arm in arms:
            for name in table.measures:
                measure_of(arm, name, kinds)
    else:
        arms = [
            arm
            for arm in design.arms
            if not arm.is_pick and wanted <= set(kind_of(arm.procedure, kinds).measures)
        ]
    if not arms:
        raise UserError(f"table '{table.name}' has no arm with the measures {', '.join(table.measures)}.")
    return arms
