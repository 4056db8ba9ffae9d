"""Means with intervals as points: a scatter of two measures, or a dot plot of categories sorted by value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gradlab.report._axes import all_values, measure_axis, or_gap
from gradlab.report._canvas import small_multiples
from gradlab.report._reference import draw_reference, near
from gradlab.report._spots import Spot
from gradlab.report._theme import short, style
from gradlab.report._values import with_bounds
from gradlab.report.numbers import is_number

Series = Mapping[str, Any]


def is_dot_plot(figure: Mapping[str, Any]) -> bool:
    """Say whether the measure of a "points" figure runs along the horizontal axis."""
    return figure.get("kind") == "points" and (figure.get("x") or {}).get("scale") == "category"


def points(
    figure: dict[str, Any],
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    claims: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - every kind is called alike
) -> str:
    """Draw a "points" figure; categories become the rows of a dot plot, the largest value on top."""
    if not is_dot_plot(figure):
        return small_multiples(figure, _scatter, order=order, panel=panel, themed=themed)
    panels = figure.get("panels") or [{}]
    rows = max(len(sorted_categories(figure, content)) for content in panels)
    series = max(len(content.get("series") or ()) or 1 for content in panels)
    height = 0.7 + rows * (0.24 + 0.13 * (series - 1))
    return small_multiples(
        figure, _dot_plot, order=order, panel=panel, themed=themed, height=height, turned=True
    )


def _scatter(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> list[Spot]:
    x, y = figure.get("x") or {}, figure.get("y") or {}
    logs, spots = [axis.get("scale") == "log" for axis in (x, y)], []
    for series in content.get("series") or ():
        number = order.get(str(series.get("name")), 0)
        xs, ys = _spread(axes, series, number, logs)
        for i, place in enumerate(zip(xs, ys, strict=True)):
            where = with_bounds(series, i, x, ("x", "x_low", "x_high"))
            text = f"{series.get('name')}, {x.get('label') or 'x'} {where}: {with_bounds(series, i, y)}"
            spots.append(Spot(*place, number, text))
    across, along = all_values(figure, "x", "x_low", "x_high"), all_values(figure, "y", "low", "high")
    measure_axis(axes, "x", x, [*across, *near(figure, "x", across)])
    measure_axis(axes, "y", y, [*along, *near(figure, "y", along)])
    draw_reference(axes, figure)
    return spots


def _spread(axes: Axes, series: Series, index: int, logs: Sequence[bool]) -> tuple[list[float], list[float]]:
    """Draw the means of one series, their intervals along both axes, and the seeds as small dots; returns the means."""
    look, gid = style(index), f"series-{index}"
    xs = [or_gap(v, log=logs[0]) for v in series.get("x") or ()]
    ys = [or_gap(v, log=logs[1]) for v in series.get("y") or ()]
    single = series.get("points") or ()
    axes.plot(
        [or_gap(p[0], log=logs[0]) for p in single], [or_gap(p[1], log=logs[1]) for p in single], look.marker,
        color=look.color, markersize=3, alpha=0.4, markeredgewidth=0, gid=gid,
    )  # fmt: skip
    if series.get("low"):
        axes.vlines(xs, *ends(series, "low", "high", log=logs[1]), color=look.color, linewidth=1.6, gid=gid)
    if series.get("x_low"):
        axes.hlines(
            ys, *ends(series, "x_low", "x_high", log=logs[0]), color=look.color, linewidth=1.6, gid=gid
        )
    axes.plot(xs, ys, look.marker, color=look.color, markersize=7, markeredgewidth=0, gid=gid)
    return xs, ys


def ends(series: Series, low: str, high: str, *, log: bool = False) -> tuple[list[float], list[float]]:
    """Return the ends of a series' intervals, gaps where there are none."""
    count = len(series.get("x") or ())
    found = [[or_gap(v, log=log) for v in series.get(key) or [None] * count] for key in (low, high)]
    return found[0], found[1]


def sorted_categories(figure: Mapping[str, Any], content: Mapping[str, Any]) -> list[Any]:
    """Return a panel's categories from below: by mean, those without value first, or in the order that the axis gives."""
    totals: dict[Any, list[float]] = {}
    for series in content.get("series") or ():
        for name, value in zip(series.get("x") or (), series.get("y") or (), strict=False):
            totals.setdefault(name, []).extend([float(value)] if is_number(value) else [])

    def mean(name: Any) -> float:
        return sum(totals[name]) / len(totals[name]) if totals[name] else -math.inf

    given = (figure.get("x") or {}).get("ordered") or ()
    return sorted(
        totals, key=lambda name: (-list(given).index(name) if name in given else -len(given), mean(name))
    )


def _dot_plot(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> list[Spot]:
    """Draw one panel; its rows are sorted, and its axis zooms, by its own values."""
    names, y = sorted_categories(figure, content), figure.get("y") or {}
    rows = {name: row for row, name in enumerate(names)}
    drawn, spots = content.get("series") or (), []
    for number, series in enumerate(drawn):
        shift = ((len(drawn) - 1) / 2 - number) * min(0.22, 0.7 / len(drawn))
        for i, name in enumerate(series.get("x") or ()):
            of_arm = len(drawn) == 1 and str(name) in order  # a row is lit with its arm's lines elsewhere
            lit = order[str(name)] if of_arm else order.get(str(series.get("name")), 0)
            look = order.get(str(series.get("name")), 0)
            place = _row(axes, series, i, (look, lit), rows[name] + shift, log=y.get("scale") == "log")
            told = str(name) if len(drawn) == 1 else f"{name}, {series.get('name')}"
            spots.append(Spot(place, rows[name] + shift, lit, f"{told}: {with_bounds(series, i, y)}"))
    axes.set_yticks(range(len(names)), [short(name, 34) for name in names])
    axes.set_ylim(-0.6, max(1, len(names)) - 0.4)
    axes.tick_params(axis="y", length=0)
    values = all_values({"panels": [content]}, "y", "low", "high")
    measure_axis(axes, "x", y, [*values, *near(figure, "y", values)])
    draw_reference(axes, figure, turned=True)
    return spots


def _row(axes: Axes, series: Series, i: int, numbers: tuple[int, int], height: float, *, log: bool) -> float:
    """Draw mean, interval and seeds of one category; returns where the mean stands."""
    look, gid = style(numbers[0]), f"series-{numbers[1]}"
    name, place = series["x"][i], or_gap((series.get("y") or ())[i], log=log)
    single = [or_gap(p[1], log=log) for p in series.get("points") or () if p[0] == name]
    axes.plot(
        single,
        [height] * len(single),
        "o",
        color=look.color,
        markersize=3.2,
        alpha=0.4,
        markeredgewidth=0,
        gid=gid,
    )
    low, high = (found[i] for found in ends(series, "low", "high", log=log))
    axes.plot([low, high], [height, height], color=look.color, linewidth=1.8, solid_capstyle="butt", gid=gid)
    axes.plot([place], [height], look.marker, color=look.color, markersize=6.5, markeredgewidth=0, gid=gid)
    return place
