"""Where the records of a result are: a folder of records, or the small form that is committed."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradlab.lab.record import Columns, Record, read_columns
from gradlab.lab.spec import digest
from gradlab.metrics import evaluate
from gradlab.types import UserError

LOGS = ("epochs", "gradients", "errors")
SMALL_FILES = ("runs.json", "predictions.parquet", "epochs.parquet", "gradients.parquet", "errors.parquet")


@dataclass(frozen=True)
class SmallRun:
    """A run in small form: what its numbers rest on, without logits and weights."""

    hash: str
    digest: str
    spec: dict[str, Any]
    facts: dict[str, Any]
    labels: np.ndarray
    predictions: np.ndarray
    epochs: Columns
    gradients: Columns
    errors: Columns


def open_runs(folder: Path, hashes: list[str]) -> dict[str, Record | SmallRun]:
    """Open the runs of a report: from the small form beside it, else from DIR/records.

    Raises:
        UserError: there are no records, or one is missing.
    """
    if (folder / "runs.json").exists():
        small = read_small(folder)
        missing = [name for name in hashes if name not in small]
        if missing:
            raise UserError(
                f"{folder} lacks run {missing[0]} ({len(missing)} in all); the result cannot be recomputed."
            )
        return {name: small[name] for name in hashes}
    records = folder.parent.parent / "records"
    for name in hashes:
        if not (records / name / "files.json").exists():
            raise UserError(
                f"record {name} of {folder} is not in {records}; run the study again with the same --out."
            )
    return {name: Record(records / name) for name in hashes}


def write_small(folder: Path, records: list[Record]) -> None:
    """Write runs in small form: predictions as uint8, epoch and gradient logs, facts; no weights, no host name."""
    if any(len(record.facts["class_names"]) > 256 for record in records):
        raise UserError("the small form holds predictions as uint8, so it takes at most 256 classes.")
    labels = records[0].labels
    predictions = {"label": labels.astype(np.uint8)}
    predictions |= {record.hash: record.predictions.astype(np.uint8) for record in records}
    pq.write_table(
        pa.table(predictions), folder / "predictions.parquet", compression="zstd", compression_level=19
    )
    for name in LOGS:
        tables = [_with_run(getattr(record, name), record.hash) for record in records]
        merged = pa.concat_tables(tables, promote_options="default")
        pq.write_table(merged, folder / f"{name}.parquet", compression="zstd", compression_level=19)
    runs = [
        {"record": record.hash, "digest": record.digest, "spec": _plain(record), "facts": record.facts}
        for record in records
    ]
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in SMALL_FILES
        if name != "runs.json"
    }
    (folder / "runs.json").write_text(json.dumps({"files": files, "runs": runs}, indent=1, sort_keys=True))


def read_small(folder: Path) -> dict[str, SmallRun]:
    """Read what `write_small` wrote."""
    listed = json.loads((folder / "runs.json").read_text())
    outputs = read_columns(folder / "predictions.parquet")
    epochs, gradients, errors = (_by_run(read_columns(folder / f"{name}.parquet")) for name in LOGS)
    return {
        run["record"]: SmallRun(
            hash=run["record"],
            digest=run["digest"],
            spec=run["spec"],
            facts=run["facts"],
            labels=outputs["label"].astype(np.int64),
            predictions=outputs[run["record"]].astype(np.int64),
            epochs=epochs[run["record"]],
            gradients=gradients[run["record"]],
            errors=errors.get(run["record"], {"confidence": np.empty(0)}),
        )
        for run in listed["runs"]
    }


def damaged_files(folder: Path, runs: dict[str, Record | SmallRun]) -> list[str]:
    """Name every file behind a result that is not what was written, and every run whose spec is not its name."""
    found = []
    if (folder / "runs.json").exists():
        listed = json.loads((folder / "runs.json").read_text())["files"]
        for name, checksum in listed.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != checksum:
                found.append(name)
    for run in runs.values():
        if isinstance(run, Record):
            found += [f"records/{run.hash}/{name}" for name in run.damaged()]
            spec = json.loads((run.folder / "spec.json").read_text())
            found += [f"test metric {name} of run {run.hash}" for name in wrong_metrics(run)]
        else:
            spec = run.spec
        if digest(spec)[:20] != run.hash:
            found.append(f"spec of run {run.hash}")
    return found


def wrong_metrics(record: Record) -> list[str]:
    """Name the stored test metrics that do not follow from the record's logits."""
    fresh = evaluate(record.logits, record.labels)
    stored = record.facts["test"]
    return [
        name
        for name in stored
        if not math.isclose(stored[name], fresh.get(name, math.nan), rel_tol=1e-9, abs_tol=1e-12)
    ]


def _by_run(columns: Columns) -> dict[str, Columns]:
    runs = columns.pop("run").astype(str)
    result = {}
    for name in dict.fromkeys(runs.tolist()):
        rows = runs == name
        result[name] = {key: value[rows] for key, value in columns.items()}
    return result


def _with_run(columns: Columns, name: str) -> pa.Table:
    length = len(next(iter(columns.values())))
    return pa.table({"run": pa.array([name] * length).dictionary_encode(), **columns})


def _plain(record: Record) -> dict[str, Any]:
    return json.loads((record.folder / "spec.json").read_text())  # type: ignore[no-any-return]
