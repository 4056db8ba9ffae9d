"""The laboratory: designs, records, units of work, judging. Knows no network and no study, and needs no torch."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Arm": "designing.design",
        "Claim": "designing.claims",
        "Column": "kinds",
        "DataName": "designing.procedure",
        "Design": "designing.design",
        "Desk": "running.desk",
        "Figure": "designing.shown",
        "Input": "designing.procedure",
        "Job": "running.desk",
        "Kind": "kinds",
        "Measure": "kinds",
        "Outcome": "kinds",
        "Part": "designing.claims",
        "Pick": "designing.procedure",
        "Procedure": "designing.procedure",
        "Progress": "running.desk",
        "Record": "records.record",
        "Reference": "designing.shown",
        "Request": "running.request",
        "Results": "judging.results",
        "Table": "designing.shown",
        "WeightsName": "designing.procedure",
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
    from gradlab.lab.designing.procedure import DataName as DataName
    from gradlab.lab.designing.procedure import Input as Input
    from gradlab.lab.designing.procedure import Pick as Pick
    from gradlab.lab.designing.procedure import Procedure as Procedure
    from gradlab.lab.designing.procedure import WeightsName as WeightsName
    from gradlab.lab.designing.shown import Figure as Figure
    from gradlab.lab.designing.shown import Reference as Reference
    from gradlab.lab.designing.shown import Table as Table
    from gradlab.lab.judging.evaluate import evaluate as evaluate
    from gradlab.lab.judging.results import Results as Results
    from gradlab.lab.kinds import Column as Column
    from gradlab.lab.kinds import Kind as Kind
    from gradlab.lab.kinds import Measure as Measure
    from gradlab.lab.kinds import Outcome as Outcome
    from gradlab.lab.records.finding import find_record as find_record
    from gradlab.lab.records.prune import prune as prune
    from gradlab.lab.records.record import Record as Record
    from gradlab.lab.records.record import load as load
    from gradlab.lab.running.desk import Desk as Desk
    from gradlab.lab.running.desk import Job as Job
    from gradlab.lab.running.desk import Progress as Progress
    from gradlab.lab.running.request import Request as Request
    from gradlab.lab.running.run import run_design as run_design
