"""Two run records side by side: what was asked for, what came out, and whether they differ on the same images (no torch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gradlab.lab.records.columns import Columns
from gradlab.lab.records.record import Record
from gradlab.metrics import METRICS
from gradlab.statistics import Interval, McNemar, interval, mcnemar
from gradlab.types import UserError


@dataclass(frozen=True)
class RunComparison:
    """How two runs differ.

    Attributes:
        a: name of the first record; b: of the second.
        spec: field -> (value of a, value of b), where they differ. facts: status, epochs, parameters, seconds alike.
        metrics: name -> (a, b) on the test images.
        difference: in accuracy, a less b, with its 95 % interval over the test images alone.
        mcnemar: counts of images that only one gets right, and the exact p-value.
    """

    a: str
    b: str
    spec: dict[str, tuple[Any, Any]]
    facts: dict[str, tuple[Any, Any]]
    metrics: dict[str, tuple[float, float]]
    difference: Interval
    mcnemar: McNemar

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {
            "a": self.a,
            "b": self.b,
            "spec": {name: list(pair) for name, pair in self.spec.items()},
            "facts": {name: list(pair) for name, pair in self.facts.items()},
            "metrics": {name: list(pair) for name, pair in self.metrics.items()},
            "difference": {
                "estimate": self.difference.estimate,
                "interval": [self.difference.low, self.difference.high],
                "level": self.difference.level,
                "flags": list(self.difference.flags),
            },
            "mcnemar": asdict(self.mcnemar),
        }


def compare_runs(a: Record, b: Record) -> RunComparison:
    """Compare two runs on the test images that both were judged on.

    The interval holds the chance of the test images alone: one run of each tells nothing of how seeds vary, for which
    a study with several seeds is the answer.

    Raises:
        UserError: a damaged record, one record twice, or different test images.
    """
    for record in (a, b):
        if damaged := record.damaged():
            raise UserError(f"record {record.folder} is damaged ({', '.join(damaged)}); run its study again.")
    if a.hash == b.hash:
        raise UserError(f"both are record {a.hash}; give two different ones.")
    tables = [_predictions(record) for record in (a, b)]
    names = [" and ".join(record.spec["content"]) for record in (a, b)]
    contents = [sorted(record.spec["content"].values()) for record in (a, b)]
    if contents[0] != contents[1] or not np.array_equal(tables[0]["label"], tables[1]["label"]):
        raise UserError(
            f"the two runs were judged on different test images ('{names[0]}' and '{names[1]}'), so their scores "
            "cannot be compared; run both on the same data."
        )
    hits = [table["prediction"] == table["label"] for table in tables]
    each = hits[0].astype(float) - hits[1].astype(float)
    facts = ("status", "epochs", "best_epoch", "parameters")
    return RunComparison(
        a=a.hash,
        b=b.hash,
        spec=_differences(flat(a.spec), flat(b.spec)),
        facts={name: (a.facts.get(name), b.facts.get(name)) for name in facts}
        | {"seconds": (_seconds(a), _seconds(b))},
        metrics={
            name: (a.facts["test"][name], b.facts["test"][name])
            for name in METRICS
            if name in a.facts["test"] and name in b.facts["test"]
        },
        difference=interval(np.stack([each, each])),  # twice the same: no variance of seeds enters
        mcnemar=mcnemar(*hits),
    )


def _predictions(record: Record) -> Columns:
    table = record.table("predictions")
    if not {"label", "prediction"} <= set(table):
        kind = record.spec["procedure"]["kind"]
        raise UserError(
            f"record {record.hash}, of kind '{kind}', holds no predictions on test images; give two trainings."
        )
    return table


def _seconds(record: Record) -> float:
    return round(float(record.made["seconds"]), 2)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, with dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _differences(a: dict[str, Any], b: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (a.get(name), b.get(name)) for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)
    }
