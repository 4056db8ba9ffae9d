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
        "Trained": "trained",
        "compare_runs": "compare_runs",
        "evaluate": "evaluate",
        "export": "export",
        "export_model": "export",
        "find_record": "finding",
        "load": "record",
        "open_trained": "trained",
        "predict": "predictions",
        "prune": "prune",
        "run_design": "run",
        "score": "scores",
        "train_model": "train",
    },
)

if TYPE_CHECKING:
    from gradlab.lab.compare_runs import compare_runs as compare_runs
    from gradlab.lab.design import Arm as Arm
    from gradlab.lab.design import Claim as Claim
    from gradlab.lab.design import Design as Design
    from gradlab.lab.evaluate import evaluate as evaluate
    from gradlab.lab.export import export as export
    from gradlab.lab.export import export_model as export_model
    from gradlab.lab.finding import find_record as find_record
    from gradlab.lab.measures import MEASURES as MEASURES
    from gradlab.lab.predictions import predict as predict
    from gradlab.lab.prune import prune as prune
    from gradlab.lab.record import Record as Record
    from gradlab.lab.record import load as load
    from gradlab.lab.run import Request as Request
    from gradlab.lab.run import run_design as run_design
    from gradlab.lab.scores import score as score
    from gradlab.lab.spec import RunSpec as RunSpec
    from gradlab.lab.train import train_model as train_model
    from gradlab.lab.trained import Trained as Trained
    from gradlab.lab.trained import open_trained as open_trained
