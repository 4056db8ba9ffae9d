"""Rows of a table as dots: two columns against each other, coloured by a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure
from gradlab.lab.judging.figures import Drawn, grouped, panel_title
from gradlab.lab.judging.results import Results, matches
from gradlab.lab.kinds import Column

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


def draw_scatter(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """One dot for each row of a table of an arm's first run, and a large one at the mean of each value of `by`.

    Runs are not mixed, since coordinates such as principal components mean something else in each of them. A column of
    class numbers is told by the names of the classes.
    """
    known = study.arms[arms[0].name][0].kind.tables.get(figure.table, {})
    x, y = (known.get(name, Column(name.replace("_", " "))) for name in (figure.x, figure.y))

    def series(members: Sequence[Arm]) -> list[Drawn]:
        return [one for arm in members for one in _series(figure, study.arms[arm.name][0])]

    panels = [{"title": "", "series": series(arms)}]
    if figure.panel is not None:
        panels = [
            {"title": panel_title(figure.panel, value), "series": series(members)}
            for value, members in grouped(arms, figure.panel)
        ]
    return {
        "kind": "points",
        "x": {"label": x.label, "scale": figure.x_scale, "percent": x.unit == "fraction"},
        "y": {"label": y.label, "scale": figure.y_scale, "percent": y.unit == "fraction"},
        "panels": panels,
    }


def _series(figure: Figure, run: Results) -> list[Drawn]:
    table = run.table(figure.table)
    chosen = _chosen(figure, table)
    xs, ys, groups = (table[name][chosen] for name in (figure.x, figure.y, figure.by))
    names = run.facts.get("class_names", []) if figure.by == "label" else []
    return [
        {
            "name": str(names[int(value)] if names else value),
            "x": [float(xs[groups == value].mean())],
            "y": [float(ys[groups == value].mean())],
            "low": [None],
            "high": [None],
            "points": [[float(a), float(b)] for a, b in zip(xs[groups == value], ys[groups == value], strict=True)],
            "x_low": None,
            "x_high": None,
        }
        for value in np.unique(groups)
    ]  # fmt: skip


def _chosen(figure: Figure, table: Mapping[str, np.ndarray]) -> np.ndarray:
    chosen = np.ones(len(table[figure.x]), dtype=bool)
    for column, value in figure.where.items():
        if column in table:
            chosen &= matches(table[column], value)
    return chosen
