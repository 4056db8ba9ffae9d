"""Measures: numbers with unit and direction, each computed from what a record holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gradlab.metrics import f1
from gradlab.statistics import wilson
from gradlab.training.probe_row import count_learning

Columns = dict[str, np.ndarray]
SMALLEST = 1.4e-45
"""Smallest positive number of fp32: a gradient that is exactly zero counts as this."""
LARGEST = 3.4028235e38
"""Largest number of fp32: a gradient that overflowed counts as this."""


class Results(Protocol):
    """What a measure may look at: a record, whole or in small form."""

    @property
    def labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def predictions(self) -> np.ndarray: ...  # noqa: D102
    @property
    def losses(self) -> np.ndarray: ...  # noqa: D102
    @property
    def epochs(self) -> Columns: ...  # noqa: D102
    @property
    def gradients(self) -> Columns: ...  # noqa: D102
    @property
    def probes(self) -> Columns: ...  # noqa: D102
    @property
    def errors(self) -> Columns: ...  # noqa: D102
    @property
    def facts(self) -> dict[str, Any]: ...  # noqa: D102


@dataclass(frozen=True)
class Measure:
    """A number of a run.

    Attributes:
        name: in words. unit: "fraction", "epochs" or "decades" (powers of ten). better: "higher", "lower" or "neither".
        value: of one run. samples: the same as one number a test image, (N,), whose mean is the value; None where
            the measure is not a mean over test images. learns: whether a run that did not train spoils it.
        in_tables: whether tables and lines have the samples of every run; else their intervals are of seeds alone.
    """

    name: str
    unit: str
    better: str
    value: Callable[[Results], float]
    samples: Callable[[Results], np.ndarray] | None = None
    learns: bool = True
    in_tables: bool = True


def _hits(run: Results) -> np.ndarray:
    return np.asarray(run.predictions == run.labels, dtype=np.float64)


def _best_epoch(run: Results) -> float:
    return float(run.facts["best_epoch"])


def _epochs_trained(run: Results) -> float:
    """Epochs until training stopped; a run that diverged or learnt nothing counts as the most that it was given."""
    if run.facts["status"] == "diverged" or not has_trained(run):
        return float(run.facts["max_epochs"])
    return float(len(run.epochs["epoch"]))


def gradient_norm(run: Results, time: str, which: int, *, among: str = "") -> float:
    """Return the weight-gradient norm of layer number `which` among the layers whose name starts with `among`.

    NaN where the network has no such layer; one that overflowed counts as the largest number of fp32.
    """
    table = run.gradients
    chosen = (table["time"] == time) & (table["kind"] == "weight")
    if among:
        chosen &= np.array([str(name).startswith(among) for name in table["layer"]], dtype=bool)
    if not chosen.any():
        return math.nan
    order = np.argsort(table["index"][chosen], kind="stable")
    norm = float(table["norm"][chosen][order][which])
    return min(max(norm, SMALLEST), LARGEST) if math.isfinite(norm) else LARGEST


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
    """Count the layers that learn, as `gradlab.training.effective_depth` does; norms with a scale are layers here."""

    def layers(run: Results) -> float:
        table = run.gradients
        norms = table["norm"][(table["time"] == time) & (table["kind"] == "weight")]
        return float(count_learning(norms)) if len(norms) else math.nan

    return layers


def _loss(run: Results) -> float:
    return float(run.facts["test"]["cross_entropy"])


def _dead_units(run: Results) -> float:
    """Mean share over the layers but the last (the logits) of units that are zero on the whole batch, at the last probe."""
    table = run.probes
    if not len(table["step"]):
        return math.nan
    shares = table["dead"][(table["step"] == table["step"].max()) & (table["index"] < table["index"].max())]
    ran = shares[np.isfinite(shares)]  # a layer that did not run has none
    return float(ran.mean()) if len(ran) else math.nan


def _validation_accuracy(run: Results) -> float:
    column, best = run.epochs.get("validation_accuracy", np.empty(0)), int(run.facts["best_epoch"])
    return float(column[best - 1]) if 0 < best <= len(column) else math.nan


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("test accuracy", "fraction", "higher", lambda run: float(_hits(run).mean()), _hits),
        Measure("macro F1", "fraction", "higher", lambda run: f1(run.predictions, run.labels, how="macro")),
        Measure(
            "test loss", "nats", "lower", _loss, lambda run: run.losses.astype(np.float64), in_tables=False
        ),
        Measure("calibration error", "fraction", "lower", lambda run: run.facts["test"]["calibration_error"]),
        Measure("validation accuracy", "fraction", "higher", _validation_accuracy),
        Measure("best epoch", "epochs", "lower", _best_epoch),
        Measure("epochs trained", "epochs", "lower", _epochs_trained),
        Measure("gradient flow at the start", "decades", "neither", _flow("start"), learns=False),
        Measure("gradient flow at the end", "decades", "neither", _flow("end"), learns=False),
        Measure("first-layer gradient at the start", "decades", "neither", _first("start"), learns=False),
        Measure("first-layer gradient at the end", "decades", "neither", _first("end"), learns=False),
        Measure("effective depth at the start", "layers", "higher", _effective_depth("start"), learns=False),
        Measure("effective depth at the end", "layers", "higher", _effective_depth("end"), learns=False),
        Measure("dead units", "fraction", "lower", _dead_units, learns=False),
    )
}
"""Gradient flow: the weight-gradient norm of the first layer inside the blocks over that of the last, as a power of
ten; 0 is an even flow, -3 a gradient that shrinks a thousandfold on its way to the input. It compares layers of one
net; whether all of them grow with depth, the first-layer gradient tells."""


def has_trained(run: Results) -> bool:
    """Say whether a run learnt anything: its test accuracy is above that of naming the commonest class.

    The lower end of its 99.9 % Wilson interval must be above the commonest class's share; a run that diverged
    counts by the weights that it kept.
    """
    labels = run.labels
    commonest = float(np.bincount(labels).max()) / len(labels)
    return wilson(int(_hits(run).sum()), len(labels), level=0.999).low > commonest
