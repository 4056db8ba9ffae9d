"""`gradlab runs`: the records in a folder."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from gradlab.lab.design import Custom
from gradlab.lab.record import Record
from gradlab.models.mlp import MLP
from gradlab.types import UserError

EXAMPLE = "Example: gradlab runs runs"


def runs(
    out: Path = Path("runs"), /, *, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False
) -> int:
    """List the runs in a folder: arm, seed, status and test accuracy of each.

    Args:
        out: folder that was given as --out.
        json: print them as JSON.
    """
    folder = out / "records"
    if not folder.is_dir():
        raise UserError(f"{out} holds no records; give the --out folder of a run.")
    records = [Record(file.parent) for file in sorted(folder.glob("*/files.json"))]
    rows = sorted(
        (_row(record) for record in records), key=lambda row: (row["data"], row["model"], row["seed"])
    )
    if json:
        sys.stdout.write(json_module.dumps(rows, indent=1) + "\n")
        return 0
    table = Table(
        "record", "data", "model", "seed", "status", "epochs", "best", "accuracy", box=None, pad_edge=False
    )
    for row in rows:
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)
    return 0


def _row(record: Record) -> dict[str, Any]:
    model = record.spec.model
    facts = record.facts
    return {
        "record": record.hash,
        "data": record.spec.data,
        "model": _model_name(model),
        "seed": record.spec.seed,
        "status": facts["status"],
        "epochs": facts["epochs"],
        "best": facts["best_epoch"],
        "accuracy": float((record.predictions == record.labels).mean()),
    }


def _model_name(model: MLP | Custom) -> str:
    if isinstance(model, Custom):
        return model.name
    if not model.residual:
        kind = "plain"
    else:
        kind = "residual" if model.layers_per_block == 1 else f"residual by {model.layers_per_block}"
    if model.widths is not None:
        return f"{kind} {'-'.join(map(str, model.widths))}"
    return f"{kind} {model.depth}×{model.width}"
