"""Predictions on labelled images: the columns that records hold, what is derived from logits, and measures over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from gradlab.attacks.numbers import confidence
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Measure
from gradlab.lab.records.columns import Columns, read_together
from gradlab.metrics import evaluate, f1
from gradlab.statistics import balanced_accuracy_interval

PREDICTIONS = {
    "label": Column("true class"),
    "prediction": Column("predicted class"),
    "loss": Column("loss", "nats"),
}


def usable_logits(logits: np.ndarray) -> np.ndarray:
    """Return logits (N, K) in which an image without finite ones has none but zeros: every class alike, chance."""
    return np.where(np.isfinite(logits).all(axis=1, keepdims=True), logits, 0).astype(logits.dtype)


def prediction_table(logits: np.ndarray, labels: np.ndarray) -> Columns:
    """Return label, prediction and loss of every image, and its logits.

    Args:
        logits: (N, K) float32. labels: (N,) in [0, K).
    """
    usable = usable_logits(logits)
    return {
        "label": labels.astype(np.int16),
        "prediction": usable.argmax(1).astype(np.int16),
        "loss": losses(usable, labels),
    } | {f"logit_{k}": logits[:, k] for k in range(logits.shape[1])}


def losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of every image in nats, (N,) float32."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(shifted)), labels.astype(np.int64)]
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - own, dtype=np.float32)


def logits_of(table: Columns) -> np.ndarray | None:
    """Return the logits (N, K) that a table holds; None where it holds none, as in a small form."""
    count = sum(name.startswith("logit_") for name in table)
    return np.stack(read_together(table, [f"logit_{k}" for k in range(count)]), axis=1) if count else None


def scores(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return every metric of `gradlab.metrics` as plain numbers."""
    return {name: float(value) for name, value in evaluate(usable_logits(logits), labels).items()}


def wrong_predictions(run: Results, table: str = "predictions", fact: str = "test") -> list[str]:
    """Name the columns and scores that do not follow from the logits, or, without these, from the predictions."""
    found = run.table(table)
    labels = found["label"].astype(np.int64) if "label" in found else np.empty(0)
    stored = run.facts.get(fact, {})
    if not any(name.startswith("logit_") for name in found):
        return _wrong_shares(found["prediction"], labels, stored) if "prediction" in found else []
    logits = logits_of(found)
    assert logits is not None  # there are such columns
    fresh = prediction_table(logits, labels)
    wrong = [name for name in ("prediction", "loss") if not np.array_equal(fresh[name], found[name])]
    again = scores(logits, labels)
    return wrong + [
        name
        for name in stored
        if not math.isclose(stored[name], again.get(name, math.nan), rel_tol=1e-9, abs_tol=1e-12)
    ]


def wrong_under_attack(table: Columns) -> list[str]:
    """Name which predictions and confidences, under attack or before it, do not follow from the logits that are there."""
    wrong = []
    for before in ("", "clean_"):
        start, predicted, sure = f"{before}logit_", before.rstrip("_") or "prediction", f"{before}confidence"
        logits = logits_of(
            {name.removeprefix(before): table[name] for name in table if name.startswith(start)}
        )
        if logits is None:
            continue
        logits = usable_logits(logits)
        if not np.array_equal(logits.argmax(1), table[predicted]):
            wrong.append(predicted)
        if sure in table and not np.allclose(
            confidence(logits, table["label"]), table[sure], rtol=1e-5, atol=1e-7
        ):
            wrong.append(sure)
    return wrong


def _wrong_shares(predictions: np.ndarray, labels: np.ndarray, stored: Mapping[str, float]) -> list[str]:
    """Name the scores that predictions alone contradict."""
    fresh = {
        "accuracy": float((predictions == labels).mean()),
        "f1_macro": f1(predictions, labels, how="macro"),
    }
    return [
        name for name in fresh if name in stored and not math.isclose(stored[name], fresh[name], rel_tol=1e-9)
    ]


def hits(run: Results, table: str = "predictions") -> np.ndarray:
    """Return 1 for every image whose class was named, else 0, (N,) float64."""
    found = run.table(table)
    return np.asarray(
        found["prediction"].astype(np.int64) == found["label"].astype(np.int64), dtype=np.float64
    )


def has_learned(run: Results) -> bool:
    """Say whether a run learned anything: the 99.9 % lower end of its balanced accuracy is above chance.

    A network that names one class always is at chance, however common that class is; a run that diverged counts by the
    weights that it kept.
    """
    labels = run.table("predictions")["label"].astype(np.int64)
    return balanced_accuracy_interval(hits(run), labels).has_learned


def _on_test(values: Callable[[Results], np.ndarray]) -> Callable[[Results], Axes]:
    return lambda run: {run.axis("test"): values(run)}


def _losses(run: Results) -> np.ndarray:
    return run.table("predictions")["loss"].astype(np.float64)


def _macro_f1(run: Results) -> float:
    table = run.table("predictions")
    return f1(table["prediction"].astype(np.int64), table["label"].astype(np.int64), how="macro")


def _fact(name: str) -> Callable[[Results], float]:
    return lambda run: float(run.facts["test"][name])


SCORES = (
    Measure(
        "test accuracy",
        "fraction",
        "higher",
        lambda run: float(hits(run).mean()),
        _on_test(hits),
        range=(0, 1),
        exact=True,
    ),
    Measure("test loss", "nats", "lower", _fact("cross_entropy"), _on_test(_losses), in_tables=False),
    Measure("macro F1", "fraction", "higher", _macro_f1, range=(0, 1)),
    Measure("calibration error", "fraction", "lower", _fact("calibration_error"), range=(0, 1)),
)
"""Measures of a run that predicted the test images."""
