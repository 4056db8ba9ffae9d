"""What a probe sees of one layer at one step, and what follows from it without torch: columns and effective depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np

from gradlab.types import UserError

Columns = Mapping[str, Any]
"""Rows by column, as a record holds them: an array, or any sequence, for every field of `ProbeRow`."""


@dataclass(frozen=True)
class ProbeRow:
    """One layer at one step, on the fixed batch.

    Attributes:
        step: optimiser steps taken before; 0 is before the first.
        layer: the module's name. index: its place in the order in which the layers ran, from 0.
        weight_gradient: L2 norm of the gradient of the weight. bias_gradient: of the bias, None without one.
        activation_scale: root mean square of the layer's activation; None for a layer that did not run.
        dead: fraction of the layer's units whose activation is zero on the whole batch, in [0, 1]; None likewise.
        update_ratio: norm of the weight's change in the last step over the norm of the weight before it; None at
            step 0, where the weight before the step is not known, and for a weight that was all zero.
    """

    step: int
    layer: str
    index: int
    weight_gradient: float
    bias_gradient: float | None
    activation_scale: float | None
    dead: float | None
    update_ratio: float | None


NAMES = tuple(field.name for field in fields(ProbeRow))
_TYPES = {"step": np.int64, "index": np.int32, "layer": str}


def probe_columns(rows: Sequence[ProbeRow]) -> dict[str, np.ndarray]:
    """Return rows as arrays by column; None becomes NaN."""
    values = list(zip(*map(astuple, rows), strict=True)) or [()] * len(NAMES)
    return {
        name: np.array(column, dtype=_TYPES.get(name, np.float64))
        for name, column in zip(NAMES, values, strict=True)
    }


def probe_rows(columns: Columns) -> list[ProbeRow]:
    """Return the rows of columns, as `probe_columns` makes them; NaN becomes None where a row allows it.

    Raises:
        UserError: a column is missing.
    """
    missing = [name for name in NAMES if name not in columns]
    if missing:
        raise UserError(f"rows of a probe need the column '{missing[0]}'; got {', '.join(columns)}.")
    return [
        ProbeRow(
            int(step), str(layer), int(index), float(weight), _optional(bias), _optional(scale), _optional(dead),
            _optional(ratio),
        )
        for step, layer, index, weight, bias, scale, dead, ratio in zip(*(columns[name] for name in NAMES), strict=True)
    ]  # fmt: skip


def as_rows(rows: Sequence[ProbeRow] | Columns) -> list[ProbeRow]:
    """Take rows or columns."""
    return probe_rows(rows) if isinstance(rows, Mapping) else list(rows)


def by_step(rows: Sequence[ProbeRow]) -> dict[int, list[ProbeRow]]:
    """Group rows by step, both in ascending order; within a step from the input to the output."""
    groups: dict[int, list[ProbeRow]] = {}
    for row in sorted(rows, key=lambda row: (row.step, row.index)):
        groups.setdefault(row.step, []).append(row)
    return groups


def effective_depth(rows: Sequence[ProbeRow] | Columns, *, share: float = 0.01) -> int:
    """Count the layers that learn: those whose weight-gradient norm is at least `share` of the largest.

    Args:
        rows: of one network at one step; rows, or their columns.
        share: in [0, 1].

    Returns: 0 where no gradient arrives at all; a gradient that is not finite counts as none.

    Raises:
        UserError: rows of several steps, or none.
    """
    rows = as_rows(rows)
    steps = {row.step for row in rows}
    if len(steps) != 1:
        raise UserError(
            f"effective_depth counts layers at one step, got rows of {len(steps)} steps; pick one."
        )
    return count_learning([row.weight_gradient for row in rows], share)


def count_learning(norms: Sequence[float] | np.ndarray, share: float = 0.01) -> int:
    """Count the weight-gradient norms of at least `share` of the largest; one that is not finite counts as none."""
    finite = [float(norm) for norm in norms if math.isfinite(norm)]
    largest = max(finite, default=0.0)
    return sum(norm >= share * largest for norm in finite) if largest > 0 else 0


def _optional(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
