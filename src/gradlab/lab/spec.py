"""The spec of a run: all that its result depends on, and the hash that names its record."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from gradlab.lab.design import Custom
from gradlab.models.mlp import MLP
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import STRICT, Count, later

BLOCK = 6
"""Seeds 0-5, 6-11, … train together, whichever of them are asked for, so that no record's bits depend on the others."""
RECORD_FORMAT = 1
"""Raised when the same spec would give another result."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunSpec:
    """One arm at one seed.

    Attributes:
        data: name of the data set, data_checksum: of its content.
        train_images: how many of the training images, drawn afresh for every seed, class by class; None for all.
        probe_batch: images of the fixed batch for probes. probe_steps: optimiser steps after which all layers are probed.
        device: kind of device. threads: of PyTorch inside the run. torch: its version.
    """

    data: str
    data_checksum: str
    model: MLP | Custom
    recipe: Recipe
    seed: int
    device: str = "cpu"
    precision: Precision = "fp32"
    threads: int = 1
    probe_batch: int = 128
    block: int = BLOCK
    torch: str = ""
    format: int = RECORD_FORMAT
    train_images: Count | None = later(None)
    probe_steps: tuple[int, ...] = later(())

    @property
    def hash(self) -> str:
        """Name of the record: 20 hex digits of the SHA-256 of the spec's canonical JSON."""
        return digest(dump_spec(self))[:20]


_SPEC = TypeAdapter(RunSpec)


def torch_version() -> str:
    """Return PyTorch's version without importing it; builds for CPU and GPU count alike."""
    return version("torch").split("+")[0]


def dump_spec(spec: RunSpec) -> dict[str, Any]:
    """Return the spec as plain JSON data."""
    return _SPEC.dump_python(spec, mode="json")  # type: ignore[no-any-return]


def read_spec(data: dict[str, Any]) -> RunSpec:
    """Rebuild a spec from what `dump_spec` returned."""
    return _SPEC.validate_python(data)


def digest(data: Any) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def block_of(seed: int, size: int = BLOCK) -> tuple[int, ...]:
    """Return the seeds that train together with `seed`."""
    start = seed // size * size
    return tuple(range(start, start + size))
