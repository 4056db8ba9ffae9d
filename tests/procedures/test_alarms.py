"""Alarms of arms, from probes or from the gradients at both ends of a run."""

import numpy as np

from gradlab.procedures import PROCEDURES
from gradlab.procedures._training_measures import rows_of
from gradlab.training.probe_row import probe_columns, probe_rows
from tests.lab.fakes import fake_run, results


def alarms(*runs):
    return PROCEDURES["train"].alarms("the a", [results(run) for run in runs])


def run_with(start, end):
    """A run that was not probed, with the given weight-gradient norms by layer at the start and the end."""
    run = fake_run(0.5)
    run.tables["probes"] = probe_columns([])
    count = len(start)
    run.tables["gradients"] = {
        "time": np.array(["start"] * count + ["end"] * count),
        "layer": np.array([f"layer{i}" for i in range(count)] * 2),
        "index": np.tile(np.arange(count), 2),
        "kind": np.array(["weight"] * 2 * count),
        "norm": np.array([*start, *end], dtype=float),
    }
    return run


def test_a_run_without_probes_is_judged_by_its_gradients_at_both_ends():
    vanishing = run_with([1e-9, 1e-7, 1.0], [0.5, 0.7, 1.0])
    rows = probe_rows(rows_of(results(vanishing)))
    assert [(row.step, row.weight_gradient) for row in rows][:2] == [(0, 1e-9), (0, 1e-7)]
    assert {row.step for row in rows} == {0, 1}
    (alarm,) = alarms(*[vanishing] * 3)
    assert alarm == {
        "arm": "the a",
        "kind": "vanishing",
        "text": "vanishes below layer 3",
        "seeds": 3,
        "runs": 3,
        "when": "at the start",
    }


def test_biases_raise_nothing_and_a_gradient_that_is_no_number_does():
    run = run_with([1.0, 1.0, 1.0], [1.0, np.nan, 1.0])
    (alarm,) = alarms(run)
    assert (alarm["kind"], alarm["when"]) == ("not finite", "after training")
    run.gradients["kind"][3:] = "bias"
    assert len(probe_rows(rows_of(results(run)))) == 3
    assert alarms(run) == []


def test_a_probed_run_is_judged_by_its_probes():
    run = fake_run(0.5)
    probes = run.tables["probes"]
    assert rows_of(results(run)) == probes
    probes["weight_gradient"][:] = 1.0
    probes["dead"][:] = 0.0
    probes["dead"][8:] = 0.9
    (alarm,) = alarms(run)
    assert (alarm["kind"], alarm["when"]) == ("dead units", "after training")
