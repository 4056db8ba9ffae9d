"""Alarms: what each threshold means, and what trained and broken networks raise."""

import math

import pytest
import torch
from torch import nn

from gradlab.data import load
from gradlab.models import MLP
from gradlab.training import Cosine, Recipe, alarms, alarms_of_runs, effective_depth, fit_stacked
from gradlab.training.alarms import power
from gradlab.training.probe_row import by_step, probe_columns
from gradlab.types import UserError

from .test_probe_row import row

DIGITS = load("digits")


def rows_of(norms, *, step=0, **more):
    return [row(index, norm, step=step, **more) for index, norm in enumerate(norms)]


def texts(rows, **thresholds):
    return [alarm.text for alarm in alarms(rows, **thresholds)]


def trained(config, *, recipe, steps, seeds=2):
    networks = [config.build((1, 8, 8), 10, seed=seed) for seed in range(seeds)]
    fits = fit_stacked(networks, DIGITS, recipe, seeds=range(seeds), device="cpu", probe_steps=steps)
    return [fit.probes for fit in fits]


def test_a_gradient_vanishes_below_the_first_layer_that_it_reaches():
    assert texts(rows_of([1e-9, 1e-6, 0.9e-3, 1e-3, 1.0])) == ["vanishes below layer 4"]
    (alarm,) = alarms(rows_of([1e-9, 1e-6, 1.0], step=7))
    assert (alarm.kind, alarm.layer, alarm.number, alarm.step) == ("vanishing", "layer 2", 3, 7)
    assert alarm.value == 1e-6
    assert texts(rows_of([0.1, 1e-9, 1.0])) == []  # a branch that starts at zero is no vanishing
    assert texts(rows_of([0.5e-3, 1.0]), vanishing=1e-4) == []
    assert texts(rows_of([0.0, 0.0])) == ["vanishes below layer 2"]  # nothing arrives anywhere
    assert texts(rows_of([0.0, 0.0]), vanishing=0) == []
    assert texts(rows_of([0.0])) == []


def test_a_gradient_explodes_against_the_output_layer_or_in_itself():
    assert texts(rows_of([1000.0, 30.0, 2.0])) == ["explodes by a factor of 10³"]
    assert texts(rows_of([5e-2, 1e-4, 1e-5])) == ["explodes by a factor of 10³"]
    assert texts(rows_of([4e6, 5e6, 3e6])) == ["explodes by a factor of 10⁶"]  # grown on the way forward
    assert texts(rows_of([900.0, 30.0, 2.0])) == []
    assert texts(rows_of([20.0, 1.0]), exploding=10) == ["explodes by a factor of 10¹"]


def test_dead_units_are_told_of_the_worst_layer():
    dead = [row(0, 1.0, dead=0.8), row(1, 1.0, dead=1.0), row(2, 1.0, dead=None)]
    assert texts(dead) == ["100 % of the units of layer 2 are dead"]
    assert texts([row(0, 1.0, dead=0.74)]) == []
    assert texts([row(0, 1.0, dead=0.74)], dead=0.5) == ["74 % of the units of layer 1 are dead"]


def test_updates_are_too_large_or_too_small_against_the_weight():
    assert texts([row(0, 1.0, update_ratio=0.7)]) == ["one step changes layer 1 by 70 % of its norm"]
    still, moving = row(0, 1.0, update_ratio=3e-9, step=5), row(1, 1.0, update_ratio=0.01, step=5)
    assert texts([still, moving]) == ["no probed step changes layer 1 by more than 10⁻⁹ of its norm"]
    stuck = row(0, 1.0, update_ratio=0.0, step=5)
    assert texts([stuck, moving]) == ["no probed step changes layer 1"]
    before = row(0, 1.0, update_ratio=0.01, step=1), row(1, 1.0, update_ratio=0.01, step=1)
    assert texts([*before, still, moving]) == []  # it has moved
    assert texts([stuck, row(1, 1.0, update_ratio=0.0, step=5)]) == []  # the rate is zero at the end


@pytest.mark.parametrize(
    ("thresholds", "sentence"),
    [
        (
            {"vanishing": -1},
            r"vanishing must be a share of the largest gradient, in \[0, 1\], got -1; leave it out",
        ),
        ({"vanishing": 1.5}, "vanishing must be a share"),
        ({"exploding": 0}, "exploding must be a factor above 0, got 0"),
        ({"exploding": math.nan}, "exploding must be a factor above 0, got nan"),
        ({"dead": 75}, "dead must be a fraction of a layer's units, above 0 and at most 1, got 75"),
        ({"dead": 0.0}, "dead must be a fraction"),
        ({"large_update": -0.1}, "large_update must be a part of the weight's norm, above 0, got -0.1"),
        (
            {"small_update": "1e-7"},
            "small_update must be a part of the weight's norm, at least 0, got '1e-7'",
        ),
    ],
)
def test_a_threshold_outside_its_range_is_refused(thresholds, sentence):
    with pytest.raises(UserError, match=sentence):
        alarms(rows_of([1e-9, 1.0]), **thresholds)
    with pytest.raises(UserError, match=sentence):
        alarms_of_runs("plain 64", [rows_of([1.0])], **thresholds)


def test_thresholds_at_the_ends_of_their_ranges_raise_no_alarm():
    rows = [row(0, 1e-9, update_ratio=0.0), row(1, 1e9, dead=0.99, update_ratio=9.0)]
    assert len(alarms(rows)) == 5
    ends = {"vanishing": 0, "exploding": math.inf, "dead": 1, "large_update": math.inf, "small_update": 0}
    assert alarms(rows, **ends) == []


def test_what_is_not_finite_is_the_only_alarm_of_its_step():
    assert texts(rows_of([math.nan, math.inf, 1e-9, 1.0])) == ["gradient is not finite in layer 2"]


def test_columns_of_a_record_raise_the_same():
    rows = rows_of([1e-9, 1.0]) + rows_of([1e5, 1.0], step=9, update_ratio=0.9)
    assert alarms(probe_columns(rows)) == alarms(rows)
    assert len(alarms(rows)) == 3
    assert alarms([]) == []


@pytest.mark.parametrize(("value", "text"), [(1e3, "10³"), (999.0, "10²"), (math.inf, "∞"), (0.0, "0")])
def test_factors_are_written_as_the_power_that_they_reach(value, text):
    assert power(value) == text


def test_alarms_of_seeds_are_joined_by_kind_and_moment():
    first = rows_of([1e-9, 1e-9, 1.0]) + rows_of([1e-9, 1.0, 1.0], step=40)
    second = rows_of([1e-9, 1.0, 1.0]) + rows_of([1.0, 1.0, 5e4], step=20) + rows_of([1.0, 1.0, 1.0], step=30)
    told = alarms_of_runs("plain 64", [first, probe_columns(second), []])
    assert [list(alarm.values()) for alarm in told] == [
        ["plain 64", "vanishing", "vanishes below layer 2 to 3", 2, 3, "at the start"],
        ["plain 64", "vanishing", "vanishes below layer 2", 1, 3, "after training"],
        ["plain 64", "exploding", "explodes by a factor of 10⁴", 1, 3, "step 20"],
    ]
    assert list(told[0]) == ["arm", "kind", "text", "seeds", "runs", "when"]
    assert alarms_of_runs("plain 64", [first], vanishing=1e-12) == []


def test_of_several_steps_between_only_the_first_is_told():
    rows = rows_of([1.0, 1.0]) + [r for step in (10, 20, 30) for r in rows_of([5e4, 1.0], step=step)]
    rows += rows_of([1.0, 1.0], step=40)
    assert [(a["when"], a["seeds"]) for a in alarms_of_runs("a", [rows, rows])] == [("step 10", 2)]


@pytest.mark.parametrize("depth", [32, 64])
def test_plain_nets_of_depth_32_and_64_vanish(depth):
    config = MLP(width=16, depth=depth, stem_activation=False)
    (rows, _) = trained(config, recipe=Recipe(epochs=1, learning_rate=1e-4), steps=(0,))
    assert len(by_step(rows)) == 2
    for now in by_step(rows).values():
        vanishing = [alarm for alarm in alarms(now) if alarm.kind == "vanishing"]
        assert vanishing[0].number > depth - 12
        assert effective_depth(now) < 8


def test_sigmoid_nets_of_ten_layers_vanish():
    config = MLP(width=32, depth=9, activation="sigmoid")
    for rows in trained(config, recipe=Recipe(epochs=1), steps=(0,)):
        assert {alarm.kind for alarm in alarms(rows)} == {"vanishing"}


def test_the_one_layer_residual_net_of_depth_64_explodes():
    config = MLP(width=16, depth=64, residual=True, stem_activation=False)
    told = alarms_of_runs("one", trained(config, recipe=Recipe(epochs=1, learning_rate=1e-4), steps=(0,)))
    start = next(alarm for alarm in told if alarm["kind"] == "exploding")
    assert (start["seeds"], start["when"]) == (2, "at the start")


@pytest.mark.parametrize(
    "config",
    [
        MLP(width=16, depth=2, stem_activation=False),
        MLP(width=16, depth=2, stem_activation=False, residual=True),
        MLP(widths=(128, 64)),
        MLP(width=32, depth=8, norm="layer"),
        MLP(width=32, depth=8, norm="batch", residual=True),
        MLP(width=32, depth=8, init="he"),
    ],
    ids=["two", "residual", "128-64", "layer norm", "batch norm", "he"],
)
@pytest.mark.parametrize(
    "schedule", [None, pytest.param(Cosine(), marks=pytest.mark.slow)], ids=["constant", "cosine"]
)
def test_nets_that_train_raise_nothing(config, schedule):
    recipe = Recipe(epochs=6, learning_rate=3e-3, schedule=schedule)
    for rows in trained(config, recipe=recipe, steps=(0, 1, 2, 5, 20, 40)):
        assert texts(rows) == []


def test_a_learning_rate_that_is_too_large_or_too_small_is_told():
    for rate, words in ((1.0, "one step changes layer"), (1e-9, "no probed step changes layer")):
        rows = trained(
            MLP(width=32), recipe=Recipe(epochs=1, learning_rate=rate, optimizer="adam"), steps=(1,)
        )
        assert any(words in text for text in texts(rows[0])), rate


def test_a_layer_that_bias_alone_has_silenced_is_dead():
    model = MLP(width=8, depth=2).build((1, 8, 8), 10, seed=0)
    with torch.no_grad():
        model.blocks[0].branch[0].bias.fill_(-100.0)
    assert isinstance(model.blocks[0].branch[0], nn.Linear)
    fits = fit_stacked([model], DIGITS, Recipe(epochs=1), seeds=[0], device="cpu", probe_steps=(0,))
    assert "100 % of the units of layer 2 are dead" in texts(fits[0].probes)
