"""`gradlab list`: what there is: studies, models, measures, data sets, trackers."""

from __future__ import annotations

import inspect
import json as json_module
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from gradlab.data import DATASETS
from gradlab.lab.measures import MEASURES
from gradlab.lab.trackers import TRACKERS
from gradlab.metrics import METRICS
from gradlab.models import MODELS
from gradlab.studies import STUDIES


def show(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show what there is: studies, data sets, models, measures, metrics and trackers.

    Example: gradlab list

    Args:
        json: print it as JSON.
    """
    listed: dict[str, dict[str, str]] = {
        "studies": {name: _first_line(study) for name, study in STUDIES.items()},
        "data": dict.fromkeys(DATASETS, ""),
        "models": {name: _first_line(model) for name, model in MODELS.items()},
        "measures": {name: measure.unit for name, measure in MEASURES.items()},
        "metrics": {name: metric.unit for name, metric in METRICS.items()},
        "trackers": dict.fromkeys(TRACKERS, ""),
    }
    if json:
        sys.stdout.write(json_module.dumps(listed, indent=1) + "\n")
        return 0
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind, members in listed.items():
        for number, (name, text) in enumerate(members.items()):
            table.add_row(f"[bold]{kind}[/bold]" if number == 0 else "", name, text)
    Console().print(table, highlight=False)
    return 0


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]
