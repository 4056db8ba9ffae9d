"""`gradlab runs show RECORD`: one run: spec, result, curves, alarms."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.cli._tables import Flag, print_json, print_table, say, shown
from gradlab.lab.design import Custom
from gradlab.lab.finding import find_record
from gradlab.lab.record import Record
from gradlab.lab.spec import dump_spec
from gradlab.metrics import METRICS
from gradlab.models.mlp import MLP
from gradlab.statistics import wilson
from gradlab.training.recipe import Recipe

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
    say(
        f"record    {found.hash}, seed {found.spec.seed}, {found.spec.data}, {found.spec.precision}, {found.spec.device}"
    )
    _network(found)
    say(f"recipe    {found.spec.recipe.describe()}")
    _result(found)
    say()
    print_table(
        ("test metric", "value"),
        [
            (METRICS[name].title if name in METRICS else name, value)
            for name, value in found.facts["test"].items()
        ],
    )
    say()
    _curves(found)
    for alarm in _alarms(found):
        say(f"alarm     step {alarm['step']}: {alarm['text']}")
    return 1 if damaged else 0


def _network(record: Record) -> None:
    facts, model = record.facts, record.spec.model
    pixels, classes = int(np.prod(facts["input_shape"])), len(facts["class_names"])
    if isinstance(model, Custom):
        say(f"network   '{model.name}', a module of your own, {facts['parameters']:,} parameters")
        return
    say(f"network   {model.describe(pixels, classes)}")
    flops = model.flop_count(pixels, classes)
    say(f"          {facts['parameters']:,} parameters, {flops:,} FLOPs an image; {_unusual(model)}")


def _unusual(config: MLP | Recipe) -> str:
    """Fields that are not as they come, in words."""
    usual = asdict(type(config)())
    own = {name: value for name, value in asdict(config).items() if value != usual[name]}
    return (
        ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in own.items()) or "all defaults"
    )


def _result(record: Record) -> None:
    facts = record.facts
    note = f" ({facts['note']})" if facts["note"] else ""
    cost, origin = facts["cost"], facts["provenance"]
    say(
        f"result    {facts['status']}{note} after {facts['epochs']} epochs, best {facts['best_epoch']}; "
        f"{cost['seconds']:.1f} s, {cost['peak_memory_mb']:.0f} MB"
    )
    hits = int((record.predictions == record.labels).sum())
    found = wilson(hits, len(record.labels))
    say(
        f"          test accuracy {found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}] on {found.n:,} images"
    )
    say(
        f"made by   gradlab {origin['gradlab']}, torch {origin['torch']}, {origin['processor']}, {origin['date']}"
    )


def _curves(record: Record) -> None:
    epochs = record.epochs
    total = len(epochs["epoch"])
    if not total:
        return
    chosen = set(np.linspace(0, total - 1, min(ROWS, total)).round().astype(int).tolist())
    best = int(record.facts["best_epoch"])
    chosen |= {best - 1} if 0 < best <= total else set()
    names = [name for name in epochs if name != "epoch"]
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
    probes = getattr(record, "probes", None)
    if not probes or not len(next(iter(probes.values()))):
        return []
    from gradlab.training.alarms import alarms

    return [asdict(alarm) for alarm in alarms(probes)]


def _as_record(record: Record, damaged: list[str]) -> dict[str, Any]:
    epochs = {name: _plain(values) for name, values in record.epochs.items()}
    return {
        "record": record.hash,
        "damaged": damaged,
        "spec": dump_spec(record.spec),
        "facts": record.facts,
        "epochs": epochs,
        "alarms": _alarms(record),
    }


def _plain(values: np.ndarray) -> list[Any]:
    """Return a column as JSON data: what is not finite is null."""
    return [None if isinstance(one, float) and not np.isfinite(one) else one for one in values.tolist()]
