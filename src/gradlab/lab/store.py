"""Where the records of a result are: a folder of records, or the small form that is committed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradlab.lab.record import PROBES, Columns, Record, read_columns, read_json, usable_logits
from gradlab.lab.spec import digest
from gradlab.metrics import evaluate
from gradlab.training.probe_row import probe_columns
from gradlab.types import UserError

LOSSES = "losses.parquet"
LOGS = ("epochs", "gradients", "errors")
SMALL_FILES = (
    "runs.json",
    "predictions.parquet",
    "epochs.parquet",
    "gradients.parquet",
    "errors.parquet",
    PROBES,  # where a run was probed
    LOSSES,  # where a claim is about the test loss
)


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
    probes: Columns
    errors: Columns
    stored_losses: np.ndarray | None
    files: dict[str, str]

    @property
    def losses(self) -> np.ndarray:
        """Cross-entropy of every test image in nats, (N,) float32.

        Raises:
            UserError: the small form does not hold them.
        """
        if self.stored_losses is None:
            raise UserError(f"{LOSSES} does not hold the losses of run {self.hash}, on which a claim rests.")
        return self.stored_losses


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


def write_small(folder: Path, records: list[Record], with_losses: Collection[str] = ()) -> None:
    """Write runs in small form: predictions as uint8, epoch and gradient logs, facts; no weights, no host name.

    Args:
        with_losses: names of the records whose loss on every test image is kept as well.
    """
    if any(len(record.facts["class_names"]) > 256 for record in records):
        raise UserError("the small form holds predictions as uint8, so it takes at most 256 classes.")
    labels = records[0].labels
    predictions = {"label": labels.astype(np.uint8)}
    predictions |= {record.hash: record.predictions.astype(np.uint8) for record in records}
    pq.write_table(
        pa.table(predictions), folder / "predictions.parquet", compression="zstd", compression_level=19
    )
    losses = {record.hash: record.losses for record in records if record.hash in with_losses}
    if losses:
        pq.write_table(pa.table(losses), folder / LOSSES, compression="zstd", compression_level=19)
    probed = any((record.folder / PROBES).exists() for record in records)
    for name in (*LOGS, "probes") if probed else LOGS:
        tables = [_with_run(getattr(record, name), record.hash) for record in records]
        merged = pa.concat_tables(tables, promote_options="default")
        pq.write_table(merged, folder / f"{name}.parquet", compression="zstd", compression_level=19)
    runs = [
        {
            "record": record.hash,
            "digest": record.digest,
            "files": read_json(record.folder / "files.json"),
            "spec": read_json(record.folder / "spec.json"),
            "facts": record.facts,
        }
        for record in records
    ]
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in SMALL_FILES
        if name != "runs.json" and (folder / name).exists()
    }
    (folder / "runs.json").write_text(json.dumps({"files": files, "runs": runs}, indent=1, sort_keys=True))


def read_small(folder: Path) -> dict[str, SmallRun]:
    """Read what `write_small` wrote.

    Raises:
        UserError: a file is damaged or missing.
    """
    listed = read_json(folder / "runs.json")["runs"]
    names = [run["record"] for run in listed]
    outputs = read_columns(folder / "predictions.parquet")
    logs = {name: _by_run(read_columns(folder / f"{name}.parquet"), names) for name in LOGS}
    losses = read_columns(folder / LOSSES) if (folder / LOSSES).exists() else {}
    unprobed = {name: probe_columns([]) for name in names}
    probed = (folder / PROBES).exists()
    logs["probes"] = _by_run(read_columns(folder / PROBES), names) if probed else unprobed
    return {
        run["record"]: SmallRun(
            hash=run["record"],
            digest=run["digest"],
            spec=run["spec"],
            facts=run["facts"],
            labels=outputs["label"].astype(np.int64),
            predictions=outputs[run["record"]].astype(np.int64),
            files=run["files"],
            stored_losses=losses.get(run["record"]),
            **{name: of_run[run["record"]] for name, of_run in logs.items()},
        )
        for run in listed
    }


def damaged_files(folder: Path, digests: dict[str, str]) -> list[str]:
    """Name every file behind a result that is not what was written; nothing is decoded.

    Args:
        folder: of the report. digests: record -> digest of its list of files, as the result knows it.
    """
    if (folder / "runs.json").exists():
        try:
            listed = read_json(folder / "runs.json")["files"]
        except (UserError, KeyError):
            return ["runs.json"]
        return [name for name, checksum in listed.items() if _checksum(folder / name) != checksum]
    records = [Record(folder.parent.parent / "records" / name) for name in digests]
    return [
        f"records/{record.hash}/{name}"
        for record in records
        if record.folder.exists()
        for name in _damaged(record, digests[record.hash])
    ]


def _damaged(record: Record, digest: str) -> list[str]:
    found = record.damaged()
    listed = record.folder / "files.json"
    if found and "files.json" not in found and _checksum(listed) != digest:
        return ["files.json", *found]  # what does not fit may be the list
    return found


def changed_facts(runs: dict[str, Record | SmallRun]) -> list[str]:
    """Name the facts of runs that do not follow from what the runs hold: specs, test metrics, what a small form says."""
    found = []
    for run in runs.values():
        if isinstance(run, Record):
            spec = read_json(run.folder / "spec.json")
            found += [f"test metric {name} of run {run.hash}" for name in wrong_metrics(run)]
        else:
            spec = run.spec
            if _text_checksum(json.dumps(run.files, indent=1)) != run.digest:
                found.append(f"list of files of run {run.hash}")
            if _text_checksum(json.dumps(run.facts, indent=1, sort_keys=True)) != run.files.get("run.json"):
                found.append(f"facts of run {run.hash}")
        if digest(spec)[:20] != run.hash:
            found.append(f"spec of run {run.hash}")
    return found


def wrong_metrics(record: Record) -> list[str]:
    """Name the stored test metrics that do not follow from the record's logits."""
    logits = usable_logits(record.logits)
    fresh = evaluate(logits, record.labels)
    stored = record.facts["test"]
    forged = [] if np.array_equal(logits.argmax(axis=1), record.predictions) else ["predictions"]
    return forged + [
        name
        for name in stored
        if not math.isclose(stored[name], fresh.get(name, math.nan), rel_tol=1e-9, abs_tol=1e-12)
    ]


def _by_run(columns: Columns, names: list[str]) -> dict[str, Columns]:
    """Cut a log into those of its runs; a run may have no row, such as one without any error."""
    runs = columns.pop("run").astype(str)
    return {name: {key: value[runs == name] for key, value in columns.items()} for name in names}


def _with_run(columns: Columns, name: str) -> pa.Table:
    length = len(next(iter(columns.values())))
    return pa.table({"run": pa.array([name] * length, pa.string()).dictionary_encode(), **columns})


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _text_checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
