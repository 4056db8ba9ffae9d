"""Run records: immutable folders named by the hash of their spec, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradlab.lab.spec import RunSpec, dump_spec, read_spec
from gradlab.training.probe_row import probe_columns
from gradlab.types import UserError

if TYPE_CHECKING:
    from torch import nn

Columns = dict[str, np.ndarray]
FILES = (
    "spec.json",
    "run.json",
    "epochs.parquet",
    "gradients.parquet",
    "predictions.parquet",
    "errors.parquet",
    "weights.safetensors",
)
"""What every record holds, beside the list of these files with their checksums."""
PROBES = "probes.parquet"
"""What a record of a probed run holds as well."""


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind, before it is a record.

    Attributes:
        facts: status, note, best_epoch, epochs, parameters, input_shape, class_names, mean, std, provenance, cost.
        epochs: one row an epoch. gradients: one row a layer, kind and time. predictions: one row a test image.
        errors: the test images that were wrong with the most confidence, as PNG. weights: bytes of a safetensors file.
        probes: one row a probed step and layer; None where the spec asks for none.
    """

    facts: dict[str, Any]
    epochs: Columns
    gradients: Columns
    predictions: Columns
    errors: Columns
    weights: bytes
    probes: Columns | None = None


@dataclass(frozen=True)
class Record:
    """A finished run, read from its folder."""

    folder: Path

    @property
    def hash(self) -> str:
        """Name of the record."""
        return self.folder.name

    @cached_property
    def spec(self) -> RunSpec:
        """The spec that was run."""
        return read_spec(read_json(self.folder / "spec.json"))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Status, best epoch, parameters, provenance and cost."""
        return read_json(self.folder / "run.json")

    @cached_property
    def epochs(self) -> Columns:
        """Per-epoch metrics by column."""
        return read_columns(self.folder / "epochs.parquet")

    @cached_property
    def gradients(self) -> Columns:
        """Gradient norms: time, layer, index, kind, norm."""
        return read_columns(self.folder / "gradients.parquet")

    @cached_property
    def probes(self) -> Columns:
        """What the probes saw: step, layer, index, weight_gradient, bias_gradient, …; no row if nothing was probed."""
        path = self.folder / PROBES
        return read_columns(path) if path.exists() else probe_columns([])

    @cached_property
    def errors(self) -> Columns:
        """The most confident errors on the test images: index, label, prediction, confidence, png (base64)."""
        return read_columns(self.folder / "errors.parquet")

    @cached_property
    def labels(self) -> np.ndarray:
        """True labels of the test images, (N,) int64."""
        return self._outputs["label"].astype(np.int64)

    @cached_property
    def predictions(self) -> np.ndarray:
        """Predicted labels of the test images, (N,) int64."""
        return self._outputs["prediction"].astype(np.int64)

    @cached_property
    def logits(self) -> np.ndarray:
        """Logits of the test images, (N, K) float32."""
        columns = read_columns(self.folder / "predictions.parquet")
        return np.stack([columns[f"logit_{k}"] for k in range(len(columns) - 2)], axis=1)

    @cached_property
    def losses(self) -> np.ndarray:
        """Cross-entropy of every test image in nats, (N,) float32; the small form holds these very numbers."""
        logits = usable_logits(self.logits).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        sums = np.log(np.exp(shifted).sum(axis=1))
        own = shifted[np.arange(len(shifted)), self.labels]
        return np.asarray(sums - own, dtype=np.float32)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the list of the record's files and their checksums."""
        return hashlib.sha256((self.folder / "files.json").read_bytes()).hexdigest()

    @cached_property
    def _outputs(self) -> Columns:
        return read_columns(self.folder / "predictions.parquet", ["label", "prediction"])

    def damaged(self) -> list[str]:
        """Name the files that are not what was written; files.json itself where it cannot be read."""
        try:
            listed = read_json(self.folder / "files.json")
        except UserError:
            return ["files.json"]
        unlisted = [name for name in FILES if name not in listed]
        return unlisted + [
            name
            for name, checksum in listed.items()
            if not (self.folder / name).exists() or _checksum((self.folder / name).read_bytes()) != checksum
        ]

    def model(self) -> nn.Module:
        """Return the trained network in eval mode: images (N, C, H, W) in [0, 1] to logits.

        Raises:
            UserError: the run trained a user's own module, whose code no record can hold.
        """
        from gradlab.lab.weights import load_model

        return load_model(self)


def usable_logits(logits: np.ndarray) -> np.ndarray:
    """Return logits (N, K) in which an image without finite ones has none but zeros: every class alike, chance."""
    return np.where(np.isfinite(logits).all(axis=1, keepdims=True), logits, 0).astype(logits.dtype)


def load(run: str | Path) -> Record:
    """Open a record by its folder.

    Raises:
        UserError: there is no record there.
    """
    folder = Path(run)
    if not (folder / "files.json").exists():
        raise UserError(
            f"{folder} holds no run record; give a folder such as runs/records/<hash> (see gradlab runs)."
        )
    return Record(folder)


def write_record(records: Path, spec: RunSpec, outcome: Outcome) -> Record:
    """Write a record under its hash; if another writer was first, theirs stands."""
    final = records / spec.hash
    if (final / "files.json").exists():
        return Record(final)
    temporary = records / f".{spec.hash}.{uuid.uuid4().hex}.tmp"
    temporary.mkdir(parents=True)
    try:
        (temporary / "spec.json").write_text(json.dumps(dump_spec(spec), indent=1, sort_keys=True))
        (temporary / "run.json").write_text(
            json.dumps(outcome.facts, indent=1, sort_keys=True, allow_nan=False)
        )
        write_columns(temporary / "epochs.parquet", outcome.epochs)
        write_columns(temporary / "gradients.parquet", outcome.gradients)
        write_columns(temporary / "predictions.parquet", outcome.predictions)
        write_columns(temporary / "errors.parquet", outcome.errors)
        if outcome.probes is not None:
            write_columns(temporary / PROBES, outcome.probes)
        (temporary / "weights.safetensors").write_bytes(outcome.weights)
        files = {path.name: _checksum(path.read_bytes()) for path in sorted(temporary.iterdir())}
        (temporary / "files.json").write_text(json.dumps(files, indent=1))
        try:
            os.rename(temporary, final)
        except OSError:
            if not final.exists():
                raise
            if not (final / "files.json").exists():  # a record that lost its list is none: make it again
                shutil.rmtree(final)
                os.rename(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Record(final)


def read_columns(path: Path, columns: list[str] | None = None) -> Columns:
    """Read a Parquet file into arrays by column.

    Raises:
        UserError: the file is damaged or not there.
    """
    try:
        table = pq.read_table(path, columns=columns, use_threads=False, memory_map=False)
        return {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(_damage(path)) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: the file is damaged or not there.
    """
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(_damage(path)) from error
    if not isinstance(found, dict):
        raise UserError(_damage(path))
    return found


def write_columns(path: Path, columns: Columns) -> None:
    """Write arrays by column to a Parquet file; the same arrays give the same bytes."""
    pq.write_table(pa.table(columns), path, compression="zstd")


def _damage(path: Path) -> str:
    state = "is damaged" if path.exists() else "is missing"
    return f"{path} {state}; delete the folder {path.parent} and run the study again."


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
