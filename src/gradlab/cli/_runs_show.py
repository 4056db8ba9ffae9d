"""`gradlab runs show RECORD`: one run: spec, result, curves, alarms."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.cli._runs_list import main_measure, what
from gradlab.cli._tables import Flag, counted, print_json, print_table, say, shown
from gradlab.lab.designing.procedure import read_procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.records.columns import Columns
from gradlab.lab.records.finding import find_record
from gradlab.lab.records.record import Record
from gradlab.metrics import METRICS
from gradlab.procedures import PROCEDURES, Train
from gradlab.procedures.train import Custom
from gradlab.statistics import wilson
from gradlab.types import UserError

ROWS = 12
"""Most epochs in the table of curves."""


def show(record: str, /, *, runs: Path = Path("runs"), json: Flag = False) -> int:
    """Show one run: what was asked for, what came out, its curves and alarms.

    Args:
        record: its folder, or the first characters of its name.
        runs: folder in which the name is looked for.
        json: print everything as JSON.
    """
    found = find_record(record, runs)
    damaged = found.damaged()
    if json:
        print_json(_as_record(found, damaged))
        return 1 if damaged else 0
    if damaged:
        say(
            f"DAMAGED: {', '.join(damaged)} is not what was written; run the study again after deleting the folder."
        )
    try:
        _show(found)
    except UserError:
        if not damaged:
            raise
    return 1 if damaged else 0


def _show(found: Record) -> None:
    spec = found.spec
    data, seed = " and ".join(spec["content"]) or "no data of its own", spec["seed"]
    say(
        f"record    {found.hash}, {'no seed' if seed is None else f'seed {seed}'}, {data}, {spec['precision']}, "
        f"{spec['device']}"
    )
    if spec["procedure"]["kind"] == "train":
        _training(found)
    else:
        _other(found)
    origin = found.made
    software = ", ".join(f"{name} {origin.get(name)}" for name in ("gradlab", *spec["software"]))
    say(f"made by   {software}, {origin['processor']}, {origin['date']}")
    if found.facts.get("test"):
        say()
        rows = [
            (METRICS[name].title if name in METRICS else name, value)
            for name, value in found.facts["test"].items()
        ]
        print_table(("test metric", "value"), rows)
    say()
    _curves(found)
    for alarm in _alarms(found):
        say(f"alarm     step {alarm['step']}: {alarm['text']}")


def _training(record: Record) -> None:
    """Print network, recipe and result of a training."""
    procedure = read_procedure(record.spec["procedure"], PROCEDURES)
    assert isinstance(procedure, Train)  # by its kind
    facts, model = record.facts, procedure.model
    shape, classes = facts["input_shape"], len(facts["class_names"])
    if isinstance(model, Custom):
        say(f"network   '{model.name}', a module of your own, {facts['parameters']:,} parameters")
    else:
        say(f"network   {model.describe(shape, classes)}")
        flops = model.flop_count(shape, classes)
        say(f"          {facts['parameters']:,} parameters, {flops:,} FLOPs an image; {_unusual(model)}")
    say(f"recipe    {procedure.recipe.describe()}")
    note = f" ({facts['note']})" if facts["note"] else ""
    epochs = counted(facts["epochs"], "epoch")
    say(f"result    {facts['status']}{note} after {epochs}, best {facts['best_epoch']}; {_cost(record)}")
    table = record.table("predictions")
    if "prediction" in table:
        hits = int((table["prediction"] == table["label"]).sum())
        found = wilson(hits, len(table["label"]))
        say(
            f"          test accuracy {found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}] on {found.n:,} images"
        )


def _other(record: Record) -> None:
    """Print what a run of another kind did, and its main number."""
    spec, facts = record.spec, record.facts
    kind = PROCEDURES.get(spec["procedure"]["kind"])
    say(
        f"what      {kind.title if kind else spec['procedure']['kind']}: {what(spec['procedure'], spec['inputs'])}"
    )
    say(f"result    {facts.get('status', 'finished')}; {_cost(record)}")
    measure = main_measure(kind) if kind else None
    if kind is not None and measure is not None:
        say(f"          {measure.name} {shown(float(measure.value(Results(record, kind))))}")
    for name, value in facts.items():
        if isinstance(value, str | int | float) and name not in ("status", "note"):
            say(f"          {name.replace('_', ' ')} {shown(value)}")


def _cost(record: Record) -> str:
    return f"{record.made['seconds']:.1f} s, {record.made['peak_memory_mb']:.0f} MB"


def _unusual(config: Any) -> str:
    """Fields that are not as they come, in words."""
    usual = asdict(type(config)())
    own = {name: value for name, value in asdict(config).items() if value != usual[name]}
    return (
        ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in own.items()) or "all defaults"
    )


def _curves(record: Record) -> None:
    epochs = record.table("epochs")
    total = len(epochs["epoch"]) if "epoch" in epochs else 0
    if not total:
        return
    chosen = set(np.linspace(0, total - 1, min(ROWS, total)).round().astype(int).tolist())
    best = int(record.facts["best_epoch"])
    chosen |= {best - 1} if 0 < best <= total else set()
    known = [f"{part}_{score}" for part in ("train", "validation") for score in ("loss", "accuracy")]
    names = [*(name for name in known if name in epochs), *(name for name in epochs if name not in known)]
    names.remove("epoch")
    rows = [
        (
            int(epochs["epoch"][row]),
            *(float(epochs[name][row]) for name in names),
            "best" if row == best - 1 else "",
        )
        for row in sorted(chosen)
    ]
    print_table(("epoch", *(name.replace("_", " ") for name in names), ""), rows)


def _alarms(record: Record) -> list[dict[str, Any]]:
    """Alarms of the run's probes, if it was probed."""
    probes = record.table("probes")
    if "step" not in probes or not len(probes["step"]):
        return []
    from gradlab.training.alarms import alarms

    return [asdict(alarm) for alarm in alarms({name: probes[name] for name in probes})]


def _as_record(record: Record, damaged: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"record": record.hash, "damaged": damaged}
    try:
        return found | {
            "spec": record.spec,
            "facts": record.facts,
            "made": record.made,
            "epochs": _plain_table(record.table("epochs")),
            "alarms": _alarms(record),
        }
    except UserError:
        if not damaged:
            raise
        return found


def _plain_table(table: Columns) -> dict[str, list[Any]]:
    return {name: _plain(table[name]) for name in table}


def _plain(values: np.ndarray) -> list[Any]:
    """Return a column as JSON data: what is not finite is null."""
    return [None if isinstance(one, float) and not np.isfinite(one) else one for one in values.tolist()]
