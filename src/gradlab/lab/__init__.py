"""Runs, records and results: specs, executors, looks, evaluation. Knows no study."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Arm": "design",
        "Claim": "design",
        "Design": "design",
        "MEASURES": "measures",
        "Record": "record",
        "Request": "run",
        "RunSpec": "spec",
        "evaluate": "evaluate",
        "load": "record",
        "run_design": "run",
    },
)

if TYPE_CHECKING:
    from gradlab.lab.design import Arm as Arm
    from gradlab.lab.design import Claim as Claim
    from gradlab.lab.design import Design as Design
    from gradlab.lab.evaluate import evaluate as evaluate
    from gradlab.lab.measures import MEASURES as MEASURES
    from gradlab.lab.record import Record as Record
    from gradlab.lab.record import load as load
    from gradlab.lab.run import Request as Request
    from gradlab.lab.run import run_design as run_design
    from gradlab.lab.spec import RunSpec as RunSpec
