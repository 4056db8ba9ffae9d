"""Figures as data: points, means and bands over seeds, ready to be drawn by anybody."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.lab.design import Arm, Chosen, Confusion, Curve, Design, Factor, Gallery, Line
from gradlab.lab.measures import MEASURES, SMALLEST, Results
from gradlab.lab.tables import mean_interval
from gradlab.metrics import confusion
from gradlab.statistics import interval

Runs = Mapping[str, Sequence[Results]]
WORDS = {
    "index": "layer",
    "norm": "gradient norm",
    "start": "at the start",
    "end": "after training",
    "weight_gradient": "weight-gradient norm",
}
"""Columns and values of the logs as a figure names them."""


def draw_figures(design: Design, runs: Runs) -> list[dict[str, Any]]:
    """Return the data of all figures, the claims' first."""
    figures: list[dict[str, Any]] = []
    for figure in design.figures:
        if isinstance(figure, Line):
            figures.append(_line(figure, design, runs))
        elif isinstance(figure, Curve):
            figures.append(_curve(figure, design, runs))
        elif isinstance(figure, Confusion):
            figures.append(_confusion(figure, runs))
        else:
            figures.append(_gallery(figure, runs))
    return figures


def _line(figure: Line, design: Design, runs: Runs) -> dict[str, Any]:
    measure = MEASURES[figure.y]
    arms = [arm for arm in _chosen(figure, design) if figure.x in ("parameters", *arm.factors)]
    if figure.panel is None:
        panels = [{"title": "", "series": _line_series(figure, arms, runs)}]
    else:
        panels = [
            {"title": f"{figure.panel} {_number(value)}", "series": _line_series(figure, members, runs)}
            for value, members in _grouped(arms, figure.panel)
        ]
    return {
        "name": figure.name,
        "kind": "lines",
        "title": figure.title,
        "caption": figure.caption,
        "x": {"label": figure.x, "scale": figure.x_scale},
        "y": {"label": figure.y, "scale": "linear", "percent": measure.unit == "fraction", "range": None},
        "panels": panels,
    }


def _line_series(figure: Line, arms: Sequence[Arm | Chosen], runs: Runs) -> list[dict[str, Any]]:
    measure = MEASURES[figure.y]
    series = []
    for group, members in _grouped(arms, figure.by):
        points, row = [], []
        for x, arm in sorted(((_x(figure, arm, runs), arm) for arm in members), key=lambda pair: pair[0]):
            mean, low, high, values = mean_interval(measure, runs[arm.name])
            row.append((x, mean, low, high))
            points += [[x, value] for value in values]
        x_values, means, lows, highs = (list(column) for column in zip(*row, strict=True))
        series.append(
            {"name": str(group), "x": x_values, "y": means, "low": lows, "high": highs, "points": points}
        )
    return series


def _x(figure: Line, arm: Arm | Chosen, runs: Runs) -> float:
    return float(runs[arm.name][0].facts["parameters"] if figure.x == "parameters" else arm.factors[figure.x])


def _number(value: Factor) -> str:
    return f"{value:,}" if isinstance(value, int) and value >= 1000 else str(value)


def _curve(figure: Curve, design: Design, runs: Runs) -> dict[str, Any]:
    if figure.panel in design.arms[0].factors:
        groups = _grouped(_chosen(figure, design), figure.panel)
        panels = [
            _panel(figure, f"{figure.panel} {_number(value)}", arms, runs, {}) for value, arms in groups
        ]
    else:
        logs = [_log(figure, run) for run in runs[design.arms[0].name]]
        values = dict.fromkeys(str(value) for log in logs for value in log[figure.panel])
        chosen = _chosen(figure, design)
        panels = [
            _panel(figure, WORDS.get(value, value), chosen, runs, {figure.panel: value}) for value in values
        ]
    return {
        "name": figure.name,
        "kind": "lines",
        "title": figure.title,
        "caption": figure.caption,
        "x": {"label": WORDS.get(figure.x, figure.x.replace("_", " ")), "scale": figure.x_scale},
        "y": {
            "label": WORDS.get(figure.y, figure.y.replace("_", " ")),
            "scale": figure.y_scale,
            "percent": figure.y.endswith("accuracy"),
            "range": None,
        },
        "panels": panels,
    }


def _chosen(figure: Curve | Line, design: Design) -> list[Arm | Chosen]:
    """Arms whose factors are what `where` asks; its other keys are columns of the log."""
    return [
        arm
        for arm in design.shown
        if all(arm.factors[name] == value for name, value in figure.where.items() if name in arm.factors)
    ]


def _panel(
    figure: Curve, title: str, arms: Iterable[Arm | Chosen], runs: Runs, within: Mapping[str, Factor]
) -> dict[str, Any]:
    series = []
    for group, members in _grouped(arms, figure.by):
        curves = [_points(figure, run, within) for arm in members for run in runs[arm.name]]
        series.append({"name": str(group)} | _band(curves, figure))
    return {"title": title, "series": series}


def _log(figure: Curve, run: Results) -> dict[str, np.ndarray]:
    return getattr(run, figure.source)  # type: ignore[no-any-return]


def _points(figure: Curve, run: Results, within: Mapping[str, Factor]) -> dict[float, float]:
    """One run's curve: x -> y, from the rows of its log that the figure is about."""
    table = _log(figure, run)
    chosen = np.ones(len(table[figure.x]), dtype=bool)
    for column, value in (*within.items(), *figure.where.items()):
        if column in table:
            chosen &= table[column] == value
    if figure.x_scale == "log":
        chosen &= table[figure.x] > 0
    return {float(x): float(y) for x, y in zip(table[figure.x][chosen], table[figure.y][chosen], strict=True)}


def _band(curves: Sequence[Mapping[float, float]], figure: Curve) -> dict[str, Any]:
    """Mean over the seeds that got this far, with a pointwise 95 % interval; on a log axis the geometric mean.

    The interval of an accuracy ends at 0 and 1.
    """
    log, lowest, highest = figure.y_scale == "log", -math.inf, math.inf
    if figure.y.endswith("accuracy"):
        lowest, highest = 0.0, 1.0
    xs = sorted({x for curve in curves for x in curve})
    means: list[float | None] = []
    lows: list[float | None] = []
    highs: list[float | None] = []
    for x in xs:
        values = np.array([curve[x] for curve in curves if x in curve and math.isfinite(curve[x])])
        if log:
            values = np.log(np.maximum(values, SMALLEST))
        mean = float(values.mean()) if len(values) else math.nan
        ends: tuple[float | None, float | None] = (None, None)
        if len(values) > 1:
            found = interval(values, level=0.95)
            ends = (found.low, found.high)
        back = np.exp if log else float
        means.append(float(back(mean)))
        lows.append(None if ends[0] is None else max(lowest, float(back(ends[0]))))
        highs.append(None if ends[1] is None else min(highest, float(back(ends[1]))))
    return {"x": xs, "y": means, "low": lows, "high": highs, "points": None}


def _confusion(figure: Confusion, runs: Runs) -> dict[str, Any]:
    names = [str(name) for name in runs[figure.arm][0].facts["class_names"]]
    counts = sum(confusion(run.predictions, run.labels, len(names)) for run in runs[figure.arm])
    return {
        "name": figure.name,
        "kind": "matrix",
        "title": figure.title,
        "caption": figure.caption,
        "labels": names,
        "counts": np.asarray(counts).tolist(),
    }


def _gallery(figure: Gallery, runs: Runs) -> dict[str, Any]:
    """The most confident errors over all seeds, each image once, with how many seeds have it among their worst."""
    found: dict[int, dict[str, Any]] = {}
    names = [str(name) for name in runs[figure.arm][0].facts["class_names"]]
    for run in runs[figure.arm]:
        table = run.errors
        for row in range(len(table["confidence"])):
            item = found.setdefault(int(table["index"][row]), {"seeds": 0, "confidence": -1.0})
            item["seeds"] += 1
            if float(table["confidence"][row]) > item["confidence"]:
                item["confidence"] = float(table["confidence"][row])
                item["label"] = names[int(table["label"][row])]
                item["prediction"] = names[int(table["prediction"][row])]
                item["png"] = str(table["png"][row])
    worst = sorted(found.items(), key=lambda pair: (-pair[1]["confidence"], pair[0]))[: figure.count]
    seeds = len(runs[figure.arm])
    items = [{**item, "note": f"{item['seeds']} of {seeds} seeds"} for _, item in worst]
    return {
        "name": figure.name,
        "kind": "gallery",
        "title": figure.title,
        "caption": figure.caption,
        "items": items,
    }


def _grouped(arms: Iterable[Arm | Chosen], factor: str) -> list[tuple[Factor, list[Arm | Chosen]]]:
    groups: dict[Factor, list[Arm | Chosen]] = {}
    for arm in arms:
        if factor in arm.factors:
            groups.setdefault(arm.factors[factor], []).append(arm)
    return list(groups.items())
