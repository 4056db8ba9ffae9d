"""Alarms of every arm, from its probes or, where a run was not probed, from its gradients at the start and the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.lab.design import Design
from gradlab.lab.measures import Columns, Results
from gradlab.training.alarms import alarms_of_runs
from gradlab.training.probe_row import ProbeRow, probe_columns


def alarms_of_design(design: Design, runs: Mapping[str, Sequence[Results]]) -> list[dict[str, Any]]:
    """Return the alarms of all arms, in the order of the arms, for the report."""
    return [
        alarm
        for arm in design.arms
        for alarm in alarms_of_runs(arm.label, [rows_of(run) for run in runs[arm.name]])
    ]


def rows_of(run: Results) -> Columns:
    """Return what is known of the layers of a run during training: the probes, else the gradients of both ends."""
    if len(run.probes["step"]):
        return run.probes
    table = run.gradients
    rows = [
        ProbeRow(
            step=0 if time == "start" else 1,
            layer=str(layer),
            index=int(index),
            weight_gradient=float(norm),
            bias_gradient=None,
            activation_scale=None,
            dead=None,
            update_ratio=None,
        )
        for time, layer, index, kind, norm in zip(
            *(table[name] for name in ("time", "layer", "index", "kind", "norm")), strict=True
        )
        if kind == "weight"
    ]
    return probe_columns(rows)
