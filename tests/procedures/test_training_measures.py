import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from gradlab.procedures import PROCEDURES
from gradlab.procedures._training_measures import LARGEST, SMALLEST, gradient_norm
from gradlab.training.probe_row import ProbeRow, effective_depth
from tests.lab.fakes import LABELS, fake_run, results

MEASURES = PROCEDURES["train"].measures

RUN = fake_run(0.7, seed=5)


def norm_of(layer: str, time: str, kind: str = "weight") -> float:
    rows = RUN.gradients
    (found,) = [
        float(rows["norm"][row])
        for row in range(len(rows["norm"]))
        if (rows["layer"][row], rows["time"][row], rows["kind"][row]) == (layer, time, kind)
    ]
    return found


def layers_that_learn(time: str) -> int:
    norms = [norm_of(layer, time) for layer in dict.fromkeys(RUN.gradients["layer"])]
    return sum(norm >= max(norms) / 100 for norm in norms)


PROBED = (RUN.tables["probes"]["step"], RUN.tables["probes"]["index"], RUN.tables["probes"]["dead"])
BY_HAND = {
    "test accuracy": sum(p == t for p, t in zip(RUN.predictions, LABELS, strict=True)) / len(LABELS),
    "macro F1": f1_score(LABELS, RUN.predictions, average="macro"),
    "test loss": RUN.facts["test"]["cross_entropy"],
    "calibration error": RUN.facts["test"]["calibration_error"],
    "best epoch": RUN.facts["best_epoch"],
    "epochs trained": 3,
    "gradient flow at the start": math.log10(
        norm_of("blocks.0.branch.0", "start") / norm_of("blocks.1.branch.0", "start")
    ),
    "gradient flow at the end": math.log10(
        norm_of("blocks.0.branch.0", "end") / norm_of("blocks.1.branch.0", "end")
    ),
    "first-layer gradient at the start": math.log10(norm_of("stem.0", "start")),
    "first-layer gradient at the end": math.log10(norm_of("stem.0", "end")),
    "validation accuracy": RUN.epochs["validation_accuracy"][RUN.facts["best_epoch"] - 1],
    "validation loss": RUN.epochs["validation_loss"][RUN.facts["best_epoch"] - 1],
    "effective depth at the start": layers_that_learn("start"),
    "effective depth at the end": layers_that_learn("end"),
    "robust validation accuracy": math.nan,  # of ordinary training
    "robust overfitting": math.nan,
    "dead units": sum(dead for step, layer, dead in zip(*PROBED, strict=True) if step == 30 and layer < 3)
    / 3,
}


def test_every_measure_is_here():
    assert set(BY_HAND) == set(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_what_a_plain_loop_gives(name):
    assert MEASURES[name].value(results(RUN)) == pytest.approx(BY_HAND[name], rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [name for name, measure in MEASURES.items() if measure.samples])
def test_the_mean_over_samples_is_the_value(name):
    ((axis, samples),) = MEASURES[name].samples(results(RUN)).items()
    assert axis == "sha256:0/test"
    assert samples.shape == LABELS.shape
    assert samples.mean() == pytest.approx(MEASURES[name].value(results(RUN)), rel=1e-12)


def with_norms(first: float, last: float) -> object:
    run = fake_run(0.5)
    rows = run.gradients
    for layer, norm in (("blocks.0.branch.0", first), ("blocks.1.branch.0", last)):
        rows["norm"][(rows["layer"] == layer) & (rows["time"] == "start") & (rows["kind"] == "weight")] = norm
    return run


@pytest.mark.parametrize(
    ("first", "last", "decades"),
    [
        (1e-3, 1.0, -3.0),
        (100.0, 1.0, 2.0),
        (0.0, 1.0, math.log10(SMALLEST)),
        (math.inf, 1.0, math.log10(LARGEST)),
        (math.nan, 1.0, math.log10(LARGEST)),
    ],
)
def test_a_vanished_gradient_counts_as_the_smallest_and_an_overflow_as_the_largest(first, last, decades):
    assert MEASURES["gradient flow at the start"].value(results(with_norms(first, last))) == pytest.approx(
        decades
    )


def test_a_network_without_blocks_has_no_gradient_flow():
    run = fake_run(0.5)
    run.tables["gradients"] = {
        name: values[run.gradients["layer"] == "head"] for name, values in run.gradients.items()
    }
    assert math.isnan(MEASURES["gradient flow at the end"].value(results(run)))
    assert math.isfinite(MEASURES["first-layer gradient at the end"].value(results(run)))
    run.tables["gradients"] = {name: values[:0] for name, values in run.gradients.items()}
    assert math.isnan(gradient_norm(results(run), "start", 0))


def test_layers_are_taken_in_their_order_not_in_that_of_the_rows():
    run = fake_run(0.5)
    flow = MEASURES["gradient flow at the start"].value(results(run))
    run.tables["gradients"] = {name: values[::-1] for name, values in run.gradients.items()}
    assert MEASURES["gradient flow at the start"].value(results(run)) == flow


@pytest.mark.parametrize("correct", range(40, 100, 5))
def test_a_run_has_trained_if_chance_does_not_explain_its_accuracy(correct):
    run = fake_run(1.0)
    run.tables["predictions"]["prediction"] = np.where(np.arange(200) < correct, LABELS, (LABELS + 1) % 4)
    low = binomtest(correct, 200).proportion_ci(confidence_level=0.999, method="wilson").low
    assert results(run).has_learned == (low > 0.25)


def test_naming_the_commonest_class_is_no_learning():
    run = fake_run(1.0)
    run.tables["predictions"]["label"] = np.repeat([0, 1], [180, 20])
    run.tables["predictions"]["prediction"] = np.zeros(200, dtype=int)
    assert not results(run).has_learned


@pytest.mark.parametrize(
    ("norms", "layers"),
    [([0, 0, 0, 0], 0), ([math.nan] * 4, 0), ([1, 1, 1, math.inf], 3), ([0.5, 0.5, math.nan, 0.004], 2)],
)
def test_effective_depth_counts_as_the_probe_does(norms, layers):
    run = fake_run(0.5)
    chosen = (run.gradients["time"] == "end") & (run.gradients["kind"] == "weight")
    run.gradients["norm"][chosen] = norms
    assert MEASURES["effective depth at the end"].value(results(run)) == layers
    rows = [ProbeRow(0, f"l{i}", i, float(norm), None, None, None, None) for i, norm in enumerate(norms)]
    assert effective_depth(rows) == layers


@pytest.mark.parametrize("kept_as", [bool, np.uint8])
def test_weights_of_norms_are_no_layers_whether_read_from_a_record_or_its_small_form(kept_as):
    norms = np.array([1.0, 9.0, 2.0, 4.0, 3.0])
    names = np.array(["stem.0", "blocks.0.1", "blocks.0.0", "blocks.1.0", "head"])
    table = {
        "time": np.array(["start"] * 5),
        "kind": np.array(["weight"] * 5),
        "layer": names,
        "index": np.array([0, 1, 2, 3, 4]),
        "norm": norms,
        "matrix": np.array([1, 0, 1, 1, 1]).astype(kept_as),
    }
    run = SimpleNamespace(table=lambda _name: table)
    flow = MEASURES["gradient flow at the start"].value(run)
    assert flow == pytest.approx(math.log10(2 / 4))
    assert gradient_norm(run, "start", 0) == 1.0
