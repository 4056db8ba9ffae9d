"""One figure of each kind that the study in sample.py has none of."""

# ruff: noqa: E501 - data reads better in one line

from __future__ import annotations

from typing import Any

import numpy as np


def _rates() -> dict[str, Any]:
    """Make a dot plot: thirteen methods in two panels, a category each."""
    names = ["relu", "gelu", "silu", "tanh", "leaky relu", "elu", "softplus", "hard swish", "mish", "selu", "sigmoid", "softsign", "identity"]  # fmt: skip
    rng, panels = np.random.default_rng(3), []
    for depth, fall in (("two hidden layers", 0.0), ("ten hidden layers", 1.0)):
        means = [
            0.962 - 0.004 * (i % 5) - (0.85 if name == "sigmoid" and fall else 0.0)
            for i, name in enumerate(names)
        ]
        halves = [0.002 + 0.001 * (i % 3) for i in range(len(names))]
        seeds = [
            [n, round(float(m + d), 4)]
            for n, m in zip(names, means, strict=True)
            for d in rng.normal(0, 0.002, 6)
        ]
        panels.append({"title": depth, "series": [{
            "name": "test accuracy", "x": names, "y": means, "low": [m - h for m, h in zip(means, halves, strict=True)],
            "high": [m + h for m, h in zip(means, halves, strict=True)], "x_low": None, "x_high": None, "points": seeds,
        }]})  # fmt: skip
    return {
        "name": "activations", "kind": "points", "title": "Accuracy by activation", "panels": panels,
        "caption": "Mean over six seeds with its interval; small dots are single seeds; the best on top.",
        "x": {"label": "activation", "scale": "category"}, "y": {"label": "test accuracy", "scale": "linear", "percent": True},
        "reference": {"lines": [{"axis": "y", "value": 0.1, "label": "chance"}], "diagonal": False},
    }  # fmt: skip


def _cost_against_accuracy() -> dict[str, Any]:
    rng, series = np.random.default_rng(4), []
    for i, (name, seconds, value) in enumerate(
        (("SGD", 11.0, 0.941), ("Adam", 16.0, 0.957), ("AdamW", 16.5, 0.9575), ("Muon", 41.0, 0.963))
    ):
        xs, ys = seconds * np.exp(rng.normal(0, 0.05, 6)), value + rng.normal(0, 0.001 + 0.0004 * i, 6)
        series.append({
            "name": name, "x": [float(xs.mean())], "y": [float(ys.mean())], "low": [float(ys.mean()) - 0.0022], "high": [float(ys.mean()) + 0.0022],
            "x_low": [float(xs.mean()) * 0.93], "x_high": [float(xs.mean()) * 1.08], "points": [[float(a), float(b)] for a, b in zip(xs, ys, strict=True)],
        })  # fmt: skip
    return {
        "name": "seconds", "kind": "points", "title": "Accuracy against seconds", "panels": [{"title": "", "series": series}],
        "caption": "Each optimiser at its chosen rate: upper left is good and quick.",
        "x": {"label": "seconds of training", "scale": "log"}, "y": {"label": "test accuracy", "scale": "linear", "percent": True},
        "reference": None,
    }  # fmt: skip


def _robust() -> dict[str, Any]:
    attacks, rng, series = ["none", "FGSM", "PGD", "square"], np.random.default_rng(6), []
    for name, values in (("plain", (0.97, 0.31, 0.02, 0.22)), ("adversarial", (0.95, 0.79, 0.71, 0.76))):
        points = [
            [a, float(np.clip(v + d, 0, 1))]
            for a, v in zip(attacks, values, strict=True)
            for d in rng.normal(0, 0.02, 3)
        ]
        series.append({
            "name": name, "x": attacks, "y": list(values), "low": [max(0.0, v - 0.03) for v in values],
            "high": [min(1.0, v + 0.03) for v in values], "points": points,
        })  # fmt: skip
    return {
        "name": "attacked", "kind": "bars", "title": "Accuracy under attack", "panels": [{"title": "", "series": series}],
        "caption": "Every attack at 8/255; bars are means over three seeds.", "x": {"label": "attack", "scale": "category"},
        "y": {"label": "accuracy", "scale": "linear", "percent": True}, "reference": {"lines": [{"axis": "y", "value": 0.1, "label": "chance"}], "diagonal": False},
    }  # fmt: skip


def _detectors() -> dict[str, Any]:
    rows, columns = (
        ["maximum softmax", "max logit", "energy", "Mahalanobis"],
        ["near: 8 and 9", "textures", "photographs", "noise"],
    )
    values: list[list[float | None]] = [
        [0.781, 0.902, 0.931, 0.942],
        [0.792, 0.921, 0.945, 0.971],
        [0.795, 0.924, 0.949, 0.974],
        [0.861, 0.993, 0.998, None],
    ]
    return {
        "name": "detection", "kind": "heat", "title": "Which detector finds what", "caption": "AUROC by detector and foreign set; brackets: its interval.",
        "x": {"label": "foreign set"}, "y": {"label": "detector"}, "columns": columns, "rows": rows, "values": values,
        "low": [[None if v is None else v - 0.012 for v in row] for row in values], "high": [[None if v is None else min(1.0, v + 0.012) for v in row] for row in values],
        "percent": True, "value_label": "AUROC",
    }  # fmt: skip


def _scores() -> dict[str, Any]:
    edges = [round(0.05 * i, 2) for i in range(21)]
    shapes = {"own digits": (0.93, 0.06), "digits 8 and 9": (0.72, 0.15), "noise": (0.45, 0.1)}
    series = []
    for name, (middle, width) in shapes.items():
        raw = [float(np.exp(-(((a + 0.025 - middle) / width) ** 2) / 2)) for a in edges[:-1]]
        series.append({"name": name, "edges": edges, "density": [v / (0.05 * sum(raw)) for v in raw]})
    return {
        "name": "scores", "kind": "histogram", "title": "Scores of own and foreign images", "panels": [{"title": "", "series": series}],
        "caption": "The further apart, the easier to tell.", "x": {"label": "largest softmax", "scale": "linear"}, "y": {"label": "density"},
        "reference": {"lines": [{"axis": "x", "value": 0.8, "label": "threshold"}], "diagonal": False},
    }  # fmt: skip


def _roc() -> dict[str, Any]:
    x = [i / 40 for i in range(41)]
    series = [
        {"name": name, "x": x, "y": [v**power for v in x], "low": [max(0.0, v**power - 0.03) for v in x], "high": [min(1.0, v**power + 0.03) for v in x], "points": None}
        for name, power in (("digits 8 and 9", 0.4), ("noise", 0.08))
    ]  # fmt: skip
    share = {"scale": "linear", "percent": True, "range": [0, 1]}
    return {
        "name": "roc", "kind": "lines", "title": "ROC of the maximum softmax", "panels": [{"title": "", "series": series}],
        "caption": "Towards the upper left: foreign images found at few false alarms.", "x": {"label": "false alarms", **share}, "y": {"label": "found", **share},
        "reference": {"lines": [], "diagonal": True},
    }  # fmt: skip


def texts(*items: dict[str, Any]) -> dict[str, Any]:
    """Make a figure of texts with what their words add."""
    return {
        "name": "words",
        "kind": "texts",
        "title": "Which words it goes by",
        "caption": "Texts.",
        "items": list(items),
    }


def words() -> dict[str, Any]:
    """Make a figure of one short text."""
    added = [[0, 1, 0.02], [2, 8, -0.4], [9, 13, 1.1]]
    return texts({"text": "a clever film", "label": "good", "prediction": "good", "words": added})


def every_kind() -> list[dict[str, Any]]:
    """Make one figure or two of each kind that the study of `realistic` does not need."""
    return [_rates(), _cost_against_accuracy(), _robust(), _detectors(), _scores(), _roc()]
