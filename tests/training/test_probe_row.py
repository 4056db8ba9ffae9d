"""Rows, columns and effective depth, without torch."""

import math

import numpy as np
import pytest

from gradlab.training.probe_row import ProbeRow, by_step, effective_depth, probe_columns, probe_rows
from gradlab.types import UserError


def row(index: int, norm: float, *, step: int = 0, **more) -> ProbeRow:
    fields = {"bias_gradient": None, "activation_scale": 1.0, "dead": 0.0, "update_ratio": None} | more
    return ProbeRow(step=step, layer=f"layer {index}", index=index, weight_gradient=norm, **fields)


def test_columns_and_rows_are_the_same_thing():
    rows = [
        row(0, 0.5, bias_gradient=0.1, update_ratio=1e-3),
        row(1, math.inf, activation_scale=None, dead=None),
    ]
    columns = probe_columns(rows)
    assert list(columns) == list(vars(rows[0]))
    assert columns["step"].dtype == np.int64
    assert columns["layer"].tolist() == ["layer 0", "layer 1"]
    assert np.isnan(columns["bias_gradient"]).tolist() == [False, True]
    assert probe_rows(columns) == rows
    assert probe_rows({name: list(column) for name, column in columns.items()}) == rows
    assert probe_rows(probe_columns([])) == []


def test_a_missing_column_is_named():
    columns = probe_columns([row(0, 1.0)])
    del columns["dead"]
    with pytest.raises(UserError, match="need the column 'dead'; got step, layer"):
        probe_rows(columns)


def test_rows_are_grouped_by_step_from_the_input_to_the_output():
    rows = [row(1, 1.0, step=5), row(0, 1.0, step=5), row(0, 1.0, step=0)]
    assert [(step, [r.index for r in group]) for step, group in by_step(rows).items()] == [
        (0, [0]),
        (5, [0, 1]),
    ]


@pytest.mark.parametrize(
    ("norms", "layers"),
    [
        ([1.0, 1.0, 1.0], 3),
        ([1e-5, 0.0099, 0.01, 1.0], 2),  # 1 % of the largest is in, less is out
        ([100.0, 1.0, 0.5], 2),
        ([0.0, 0.0], 0),
        ([math.nan, 2.0, math.inf], 1),
    ],
)
def test_effective_depth_counts_layers_with_a_hundredth_of_the_largest_gradient(norms, layers):
    rows = [row(index, norm) for index, norm in enumerate(norms)]
    assert effective_depth(rows) == effective_depth(probe_columns(rows)) == layers


def test_effective_depth_takes_another_share():
    assert effective_depth([row(0, 0.3), row(1, 1.0)], share=0.5) == 1


@pytest.mark.parametrize("rows", [[], [row(0, 1.0), row(0, 1.0, step=3)]])
def test_effective_depth_is_of_one_step(rows):
    with pytest.raises(UserError, match=f"at one step, got rows of {len(rows)} steps; pick one"):
        effective_depth(rows)
