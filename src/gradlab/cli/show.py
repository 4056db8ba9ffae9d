"""`gradlab list`: what there is, from studies and data sets to attacks, measures and trackers."""

from __future__ import annotations

import inspect
import json as json_module
import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradlab.attacks import ATTACKS
from gradlab.data import DATASETS
from gradlab.detection import DETECTORS
from gradlab.explain import EXPLAINERS
from gradlab.lab.kinds import Measure, measures_of
from gradlab.lab.running.trackers import TRACKERS
from gradlab.metrics import METRICS, Metric
from gradlab.models import MODELS, NETS
from gradlab.procedures import PROCEDURES
from gradlab.studies import STUDIES
from gradlab.training import RECIPES

app = App(name="list", help_epilogue="Example: gradlab list", help_format="plaintext")


@app.default
def show(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> int:
    """Show what there is: studies, data sets, networks, recipes, attacks, detectors, explainers, measures and more.

    Args:
        json: print it as JSON.
    """
    listed: dict[str, dict[str, str]] = {
        "studies": {name: _first_line(study) for name, study in STUDIES.items()},
        "data": {name: entry.summary for name, entry in DATASETS.items()},
        "procedures": {name: kind.title for name, kind in PROCEDURES.items()},
        "models": {name: _first_line(model) for name, model in MODELS.items()},
        "networks": {name: one.summary for name, one in NETS.items()},
        "recipes": {name: f"{one.summary} (made for {one.network})" for name, one in RECIPES.items()},
        "attacks": {name: _first_line(one) for name, one in ATTACKS.items()},
        "detectors": {name: _first_line(one) for name, one in DETECTORS.items()},
        "explainers": {name: _first_line(one) for name, one in EXPLAINERS.items()},
        "measures": {name: _unit(measure) for name, measure in measures_of(PROCEDURES).items()},
        "metrics": {name: _unit(metric) for name, metric in METRICS.items()},
        "trackers": {name: f"needs the extra: pip install 'gradlab[{name}]'" for name in TRACKERS},
    }
    if json:
        sys.stdout.write(json_module.dumps(listed, indent=1) + "\n")
        return 0
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind, members in listed.items():
        for number, (name, text) in enumerate(members.items()):
            table.add_row(f"[bold]{kind}[/bold]" if number == 0 else "", name, escape(text))
    Console().print(table, highlight=False)
    return 0


def _unit(score: Measure | Metric) -> str:
    unit = score.unit or "number"
    return unit if score.better == "neither" else f"{unit}, {score.better} is better"


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]
