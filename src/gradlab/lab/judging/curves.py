"""Figures from the tables and views of runs: curves with bands over seeds, histograms, confusions, galleries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure
from gradlab.lab.judging.figures import Drawn, grouped, panel_title
from gradlab.lab.judging.results import Results, matches
from gradlab.lab.judging.tables import is_one_run
from gradlab.lab.kinds import Column
from gradlab.metrics import confusion
from gradlab.statistics import interval

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study

SMALLEST = 1.4e-45
"""Smallest positive number of fp32: on a log axis zero is drawn there."""
BINS = 40


def draw_curves(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """A column of a table against another: the mean over the seeds that got this far, with a pointwise 95 % band."""
    x, y = _column(figure, figure.x, arms, study), _column(figure, figure.y, arms, study)
    is_square = any(one.axis == "diagonal" for one in figure.reference)
    whole = list(y.range) if is_square and y.range is not None else None
    return {
        "kind": "lines",
        "x": {
            "label": x.label,
            "scale": figure.x_scale,
            **({"percent": True} if x.unit == "fraction" else {}),
        },
        "y": {"label": y.label, "scale": figure.y_scale, "percent": y.unit == "fraction", "range": whole},
        "panels": _panels(figure, arms, study, y),
    }


def _panels(figure: Figure, arms: Sequence[Arm], study: Study, y: Column) -> list[Drawn]:
    if figure.panel is None:
        return [{"title": "", "series": _series(figure, arms, study, {}, y)}]
    if any(figure.panel in arm.factors for arm in arms):
        return [
            {
                "title": panel_title(figure.panel, value),
                "series": _series(figure, members, study, {}, y),
            }
            for value, members in grouped(arms, figure.panel)
        ]
    words = _column(figure, figure.panel, arms, study).words
    tables = [run.table(figure.table) for run in study.arms[arms[0].name]]
    values = dict.fromkeys(str(value) for table in tables for value in table[figure.panel])
    return [
        {"title": words.get(value, value), "series": _series(figure, arms, study, {figure.panel: value}, y)}
        for value in values
    ]


def _column(figure: Figure, name: str, arms: Sequence[Arm], study: Study) -> Column:
    known = study.arms[arms[0].name][0].kind.tables.get(figure.table, {})
    return known.get(name, Column(name.replace("_", " ")))


def _series(
    figure: Figure, arms: Iterable[Arm], study: Study, within: Mapping[str, Any], y: Column
) -> list[Drawn]:
    found = []
    for group, members in grouped(arms, figure.by):
        curves = [_points(figure, run, within) for arm in members for run in study.arms[arm.name]]
        found.append({"name": str(group)} | _band(curves, figure, y))
    return found


def _points(figure: Figure, run: Results, within: Mapping[str, Any]) -> dict[float, float]:
    """One run's curve: x -> y, from the rows of its table that the figure is about."""
    table = run.table(figure.table)
    chosen = _chosen(figure, table, within, figure.x)
    if figure.x_scale == "log":
        chosen &= table[figure.x] > 0
    return {float(x): float(y) for x, y in zip(table[figure.x][chosen], table[figure.y][chosen], strict=True)}


def _chosen(figure: Figure, table: Mapping[str, np.ndarray], within: Mapping[str, Any], x: str) -> np.ndarray:
    chosen = np.ones(len(table[x]), dtype=bool)
    for column, value in (*within.items(), *figure.where.items()):
        if column in table:
            chosen &= matches(table[column], value)
    return chosen


def _band(curves: Sequence[Mapping[float, float]], figure: Figure, y: Column) -> Drawn:
    """Mean over seeds and its interval at every x; on a log axis the geometric mean."""
    log = figure.y_scale == "log"
    lowest, highest = y.range or (-math.inf, math.inf)
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


def draw_histogram(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """How often a column has which value, all seeds together, on edges that all series share."""
    x = _column(figure, figure.x, arms, study)
    values = _grouped_values(figure, arms, study)
    finite = np.concatenate([one[np.isfinite(one)] for one in values.values()])
    edges = np.histogram_bin_edges(finite, bins=BINS)
    series = [
        {
            "name": name,
            "edges": edges.tolist(),
            "density": np.histogram(one, bins=edges, density=True)[0].tolist(),
        }
        for name, one in values.items()
    ]
    return {
        "kind": "histogram",
        "x": {"label": x.label, "scale": figure.x_scale, "percent": x.unit == "fraction"},
        "y": {"label": "density"},
        "panels": [{"title": "", "series": series}],
    }


def _grouped_values(figure: Figure, arms: Sequence[Arm], study: Study) -> dict[str, np.ndarray]:
    """Return the values of a column by the values of another one, or of a factor; what several arms share counts once.

    A value that is the slice of an arm is called what the arm's factor of that name says.
    """
    tables = [run.table(figure.table) for arm in arms for run in study.arms[arm.name]]
    if figure.by not in tables[0]:
        return {
            str(group): np.concatenate(
                [_values(figure, run) for arm in members for run in study.arms[arm.name]]
            )
            for group, members in grouped(arms, figure.by)
        }
    words = {
        str(arm.at[figure.by]): str(arm.factors.get(figure.by, arm.at[figure.by]))
        for arm in arms
        if figure.by in arm.at
    }
    found: dict[str, list[np.ndarray]] = {}
    seen = set()
    for arm in arms:
        for place, run in enumerate(study.arms[arm.name]):
            table = run.table(figure.table)
            for name in dict.fromkeys(table[figure.by].astype(str)):
                values = np.asarray(table[figure.x][table[figure.by] == name], dtype=np.float64)
                key = (name, place, values.tobytes())
                if key not in seen:
                    seen.add(key)
                    found.setdefault(words.get(name, name), []).append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _values(figure: Figure, run: Results) -> np.ndarray:
    table = run.table(figure.table)
    return np.asarray(table[figure.x][_chosen(figure, table, {}, figure.x)], dtype=np.float64)


def draw_matrix(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """Pairs of two columns of class numbers, counted and summed over the networks: x is the column, y the row."""
    runs = [run for arm in arms for run in _each_once(study.arms[arm.name])]
    names = [str(name) for name in runs[0].facts["class_names"]]
    counts = sum(
        confusion(
            run.table(figure.table)[figure.x].astype(np.int64),
            run.table(figure.table)[figure.y].astype(np.int64),
            len(names),
        )
        for run in runs
    )
    return {"kind": "matrix", "labels": names, "counts": np.asarray(counts).tolist()}


def _each_once(runs: Sequence[Results]) -> Sequence[Results]:
    """Return an arm's runs, or the first where one run stands for all seeds."""
    return runs[:1] if is_one_run(runs) else runs


def draw_gallery(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """The most confident errors over all seeds, each image once, with how many seeds have it among their worst."""
    if "note" in study.arms[arms[0].name][0].table(figure.table):
        return _draw_noted(figure, arms, study)
    if "plain" in study.arms[arms[0].name][0].table(figure.table):
        return _draw_pictures(figure, arms, study)
    found: dict[int, dict[str, Any]] = {}
    runs = [run for arm in arms for run in study.arms[arm.name]]
    names = [str(name) for name in runs[0].facts["class_names"]]
    for run in runs:
        table = run.table(figure.table)
        columns = {name: table[name] for name in ("index", "label", "prediction", "confidence", "png")}
        for row in range(len(columns["confidence"])):
            item = found.setdefault(int(columns["index"][row]), {"seeds": 0, "confidence": -1.0})
            item["seeds"] += 1
            if float(columns["confidence"][row]) > item["confidence"]:
                item["confidence"] = float(columns["confidence"][row])
                item["label"] = names[int(columns["label"][row])]
                item["prediction"] = names[int(columns["prediction"][row])]
                item["png"] = str(columns["png"][row])
    worst = sorted(found.items(), key=lambda pair: (-pair[1]["confidence"], pair[0]))[: figure.count]
    items = [{**item, "note": f"{item['seeds']} of {len(runs)} seeds"} for _, item in worst]
    return {"kind": "gallery", "items": items}


def _draw_pictures(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """The plain images of a table, then a row of its pictures for every arm, all of the first seed."""
    items: list[Drawn] = []
    for number, arm in enumerate(arms):
        run = study.arms[arm.name][0]
        table, names = run.table(figure.table), [str(name) for name in run.facts["class_names"]]
        said = "clean" if "clean" in table else "prediction"  # where arms change the images
        plain = (("plain", said, "the image"),) if number == 0 else ()
        for kind, what, note in (*plain, ("png", "prediction", arm.label)):
            items += [
                {
                    "label": names[int(label)],
                    "prediction": names[int(prediction)],
                    "png": str(png),
                    "note": note,
                }
                for label, prediction, png in zip(table["label"], table[what], table[kind], strict=True)
            ]
    return {"kind": "gallery", "items": items}


def _draw_noted(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """The pictures of a table of the first seed, arm by arm, with what it notes of each, after what the arms differ in."""
    items: list[Drawn] = []
    for arm in arms:
        table = study.arms[arm.name][0].table(figure.table)
        columns = [name for name in ("label", "prediction", "png") if name in table]
        before = f"{arm.factors[figure.by]}, " if figure.by in arm.factors else ""
        notes = [f"{before}{note}" for note in table["note"]]
        rows = zip(notes, *(table[name] for name in columns), strict=True)
        items += [dict(zip(("note", *columns), map(str, row), strict=True)) for row in rows]
    return {"kind": "gallery", "items": items}
