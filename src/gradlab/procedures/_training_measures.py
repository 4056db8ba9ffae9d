"""What is measured of a training: epochs, gradients through the layers, and what probes saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.attacks.overfitting import collapse_epoch, robust_overfitting
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Measure
from gradlab.lab.records.columns import Columns
from gradlab.training.probe_row import ProbeRow, count_learning, probe_columns

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job

SMALLEST = 1.4e-45
"""Smallest positive number of fp32: a gradient that is exactly zero counts as this."""
LARGEST = 3.4028235e38
"""Largest number of fp32: a gradient that overflowed counts as this."""


def _validation_loss(run: Results) -> float:
    """Validation loss of the weights that a run keeps; infinite where there is none."""
    table, best = run.table("epochs"), int(run.facts["best_epoch"])
    column = table["validation_loss"] if "validation_loss" in table else np.empty(0)
    kept = float(column[best - 1]) if 0 < best <= len(column) else math.inf
    return kept if math.isfinite(kept) else math.inf


def _kept(name: str) -> Callable[[Results], float]:
    """Return what the epoch whose weights are kept has in a column; NaN where there is none."""

    def value(run: Results) -> float:
        table, best = run.table("epochs"), int(run.facts["best_epoch"])
        column = table[name] if name in table else np.empty(0)
        return float(column[best - 1]) if 0 < best <= len(column) else math.nan

    return value


def robust_accuracies(run: Results) -> list[float]:
    """Return the robust accuracy on validation images after every epoch; nothing where it was not measured."""
    table = run.table("epochs")
    name = "validation_robust_accuracy"
    return [float(value) for value in table[name]] if name in table else []


def robust_alarms(label: str, runs: Sequence[Results]) -> list[dict[str, Any]]:
    """Say where the robustness was lost while training went on: alarms in the form of `alarms_of_runs`."""
    epochs = [epoch for run in runs if (epoch := collapse_epoch(robust_accuracies(run))) is not None]
    if not epochs:
        return []
    text = "catastrophic overfitting: the accuracy under PGD on validation images collapses"
    told = {"arm": label, "kind": "catastrophic overfitting", "text": text}
    return [told | {"seeds": len(epochs), "runs": len(runs), "when": f"from epoch {min(epochs)}"}]


def _epochs_trained(run: Results) -> float:
    """Epochs until training stopped; a run that diverged or learned nothing counts as the most that it was given."""
    if run.facts["status"] == "diverged" or not run.has_learned:
        return float(run.facts["max_epochs"])
    return float(run.facts["epochs"])


def gradient_norm(run: Results, time: str, which: int, *, among: str = "") -> float:
    """Return the weight-gradient norm of layer number `which` among the layers whose name starts with `among`.

    NaN where the network has no such layer; one that overflowed counts as the largest number of fp32.
    """
    table = run.table("gradients")
    chosen = _weights(table, time)
    if among:
        chosen &= np.array([str(name).startswith(among) for name in table["layer"]], dtype=bool)
    if not chosen.any():
        return math.nan
    order = np.argsort(table["index"][chosen], kind="stable")
    norm = float(table["norm"][chosen][order][which])
    return min(max(norm, SMALLEST), LARGEST) if math.isfinite(norm) else LARGEST


def _weights(table: Columns, time: str) -> np.ndarray:
    """Return which rows are weights of layers at one time, those of norms left out."""
    chosen: np.ndarray = (table["time"] == time) & (table["kind"] == "weight")
    return chosen & table["matrix"].astype(bool) if "matrix" in table else chosen


def _flow(time: str) -> Callable[[Results], float]:
    def decades(run: Results) -> float:
        first = gradient_norm(run, time, 0, among="blocks")
        last = gradient_norm(run, time, -1, among="blocks")
        if (
            first <= SMALLEST or first >= LARGEST
        ):  # vanished or overflowed on the way, whatever the last layer has
            return math.log10(first)
        return math.log10(first / last)

    return decades


def _first(time: str) -> Callable[[Results], float]:
    return lambda run: math.log10(gradient_norm(run, time, 0))


def _effective_depth(time: str) -> Callable[[Results], float]:
    """Count the layers that learn, as `gradlab.training.effective_depth` does."""

    def layers(run: Results) -> float:
        table = run.table("gradients")
        norms = table["norm"][_weights(table, time)]
        return float(count_learning(norms)) if len(norms) else math.nan

    return layers


def _dead_units(run: Results) -> float:
    """Mean share over the layers but the last (the logits) of units that are zero on the whole batch, at the last probe."""
    table = run.table("probes")
    if "step" not in table or not len(table["step"]):
        return math.nan
    shares = table["dead"][(table["step"] == table["step"].max()) & (table["index"] < table["index"].max())]
    ran = shares[np.isfinite(shares)]  # a layer that did not run has none
    return float(ran.mean()) if len(ran) else math.nan


OF_EPOCHS = (
    Measure("validation loss", "nats", "lower", _validation_loss, on="validation"),
    Measure(
        "validation accuracy",
        "fraction",
        "higher",
        _kept("validation_accuracy"),
        range=(0, 1),
        on="validation",
    ),
    Measure("best epoch", "epochs", "lower", lambda run: float(run.facts["best_epoch"]), on="train"),
    Measure("epochs trained", "epochs", "lower", _epochs_trained, on="train"),
)
"""Measures of any training."""
MEASURES = (
    *OF_EPOCHS,
    Measure("gradient flow at the start", "decades", "neither", _flow("start"), on="train", learns=False),
    Measure("gradient flow at the end", "decades", "neither", _flow("end"), on="train", learns=False),
    Measure(
        "first-layer gradient at the start", "decades", "neither", _first("start"), on="train", learns=False
    ),
    Measure("first-layer gradient at the end", "decades", "neither", _first("end"), on="train", learns=False),
    Measure(
        "effective depth at the start",
        "layers",
        "higher",
        _effective_depth("start"),
        on="train",
        learns=False,
    ),
    Measure(
        "effective depth at the end", "layers", "higher", _effective_depth("end"), on="train", learns=False
    ),
    Measure("dead units", "fraction", "lower", _dead_units, range=(0, 1), on="train", learns=False),
    Measure(
        "robust validation accuracy",
        "fraction",
        "higher",
        _kept("validation_robust_accuracy"),
        range=(0, 1),
        on="validation",
    ),
    Measure(
        "robust overfitting",
        "fraction",
        "lower",
        lambda run: robust_overfitting(robust_accuracies(run)),
        range=(0, 1),
        on="validation",
    ),
)
"""Gradient flow: the weight-gradient norm of the first layer inside the blocks over that of the last, as a power of
ten; 0 is an even flow, -3 a gradient that shrinks a thousandfold on its way to the input. It compares layers of one
net; whether all of them grow with depth, the first-layer gradient tells."""


def rows_of(run: Results) -> Columns:
    """Return what is known of the layers of a run during training: the probes, else the gradients of both ends."""
    probes = run.table("probes")
    if "step" in probes and len(probes["step"]):
        return {name: probes[name] for name in probes}
    table = run.table("gradients")
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


def measured_seconds(procedure: Any, jobs: Sequence[Job], desk: Desk) -> float:
    """Seconds that a block would train and validate, from the median of a few steps."""
    from gradlab.procedures._timing import block_seconds

    return float(block_seconds(procedure, jobs, desk))
