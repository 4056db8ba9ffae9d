"""The laboratory: designs, records, units of work, judging. Knows no network and no study, and needs no torch."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Arm": "designing.design",
        "Claim": "designing.claims",
        "Design": "designing.design",
        "Figure": "designing.shown",
        "Kind": "kinds",
        "Measure": "kinds",
        "Outcome": "kinds",
        "Part": "designing.claims",
        "Pick": "designing.procedure",
        "Procedure": "designing.procedure",
        "Record": "records.record",
        "Request": "running.run",
        "Table": "designing.shown",
        "evaluate": "judging.evaluate",
        "find_record": "records.finding",
        "load": "records.record",
        "prune": "records.prune",
        "run_design": "running.run",
    },
)

if TYPE_CHECKING:
    from gradlab.lab.designing.claims import Claim as Claim
    from gradlab.lab.designing.claims import Part as Part
    from gradlab.lab.designing.design import Arm as Arm
    from gradlab.lab.designing.design import Design as Design
    from gradlab.lab.designing.procedure import Pick as Pick
    from gradlab.lab.designing.procedure import Procedure as Procedure
    from gradlab.lab.designing.shown import Figure as Figure
    from gradlab.lab.designing.shown import Table as Table
    from gradlab.lab.judging.evaluate import evaluate as evaluate
    from gradlab.lab.kinds import Kind as Kind
    from gradlab.lab.kinds import Measure as Measure
    from gradlab.lab.kinds import Outcome as Outcome
    from gradlab.lab.records.finding import find_record as find_record
    from gradlab.lab.records.prune import prune as prune
    from gradlab.lab.records.record import Record as Record
    from gradlab.lab.records.record import load as load
    from gradlab.lab.running.run import Request as Request
    from gradlab.lab.running.run import run_design as run_design
