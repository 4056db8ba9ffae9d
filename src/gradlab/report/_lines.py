"""Lines with bands and points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gradlab.report._axes import all_values, categories_of, measure_axis, or_gap, place_axis
from gradlab.report._canvas import small_multiples
from gradlab.report._labels import MUTED_NUMBER, Name, name_ends, named_directly, share_of_height
from gradlab.report._reference import draw_reference, lines_of, near
from gradlab.report._spots import Spot, some
from gradlab.report._theme import style
from gradlab.report._values import with_bounds, write_key
from gradlab.report.numbers import is_number


def lines(
    figure: dict[str, Any],
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    claims: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - every kind is called alike
) -> str:
    """Draw a "lines" figure: means over x with a band, and single seeds as faint marks."""
    return small_multiples(figure, _panel, order=order, panel=panel, themed=themed)


def _panel(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> list[Spot]:
    y, categories = figure.get("y") or {}, categories_of(figure)
    log, spots, ends = y.get("scale") == "log", [], []
    for series in content.get("series") or ():
        number = order.get(str(series.get("name")), 0)
        xs, ys = _series(axes, series, number, categories, log=log)
        spots += _spots(figure, series, number, xs, ys)
        ends += [(str(series.get("name")), v, number) for v in [v for v in ys if math.isfinite(v)][-1:]]
    place_axis(axes, figure, categories)
    values = zoomed(figure) if categories is None else all_values(figure, "y", "low", "high")
    measure_axis(axes, "y", y, [*values, *near(figure, "y", values)])
    direct = named_directly(figure)
    draw_reference(axes, figure, named=not direct)
    if direct:
        name_ends(
            axes,
            [*(Name(text, share_of_height(axes, v), n) for text, v, n in ends), *_lines_named(axes, figure)],
        )
    return spots


def zoomed(figure: Mapping[str, Any]) -> list[Any]:
    """Return the values that the axis must hold: of long curves of a share the later half, where that spares most of it.

    A learning curve starts at chance and then stays near its end for long; its axis begins where the later half does.
    """
    y, everything = figure.get("y") or {}, all_values(figure, "y", "low", "high")
    xs = sorted({float(x) for x in all_values(figure, "x") if is_number(x)})
    if not y.get("percent") or y.get("range") or y.get("scale") == "log" or len(xs) <= 10:
        return everything
    late = []
    for content in figure.get("panels") or ():
        for series in content.get("series") or ():
            for i, x in enumerate(series.get("x") or ()):
                if is_number(x) and x >= xs[len(xs) // 2]:
                    late += [series[key][i] for key in ("y", "low", "high") if series.get(key)]
    found = [[v for v in values if is_number(v)] for values in (late, everything)]
    if not all(found) or max(found[0]) - min(found[0]) > 0.4 * (max(found[1]) - min(found[1])):
        return everything
    return [*found[0], max(found[1])]


def begins_late(figure: Mapping[str, Any]) -> bool:
    """Say whether an axis leaves out the start of its curves."""
    if figure.get("kind") != "lines" or categories_of(figure) is not None:
        return False
    kept, found = (
        [v for v in values if is_number(v)]
        for values in (zoomed(figure), all_values(figure, "y", "low", "high"))
    )
    return bool(kept) and min(kept) > min(found)


def _lines_named(axes: Axes, figure: Mapping[str, Any]) -> list[Name]:
    """Return the names of reference lines along y that lie inside the limits, in the colour of what is muted."""
    low, high = axes.get_ylim()
    return [
        Name(str(line.get("label") or ""), share_of_height(axes, line["value"]), MUTED_NUMBER)
        for line in lines_of(figure)
        if line.get("axis") == "y" and low <= line["value"] <= high
    ]


def _spots(
    figure: Mapping[str, Any],
    series: Mapping[str, Any],
    number: int,
    xs: Sequence[float],
    ys: Sequence[float],
) -> list[Spot]:
    x, y = figure.get("x") or {}, figure.get("y") or {}
    return [
        Spot(xs[i], ys[i], number, f"{series.get('name')}, {x.get('label') or 'x'} "
             f"{write_key(x, series['x'][i])}: {with_bounds(series, i, y)}")
        for i in some(min(len(xs), len(ys)))
    ]  # fmt: skip


def _series(
    axes: Axes, series: Mapping[str, Any], index: int, categories: Mapping[Any, int] | None, *, log: bool
) -> tuple[list[float], list[float]]:
    """Draw one series; returns where its means stand."""
    look, gid = style(index), f"series-{index}"

    def place(values: Sequence[Any]) -> list[float]:
        return [or_gap(v) for v in values] if categories is None else [float(categories[v]) for v in values]

    def height(values: Sequence[Any]) -> list[float]:
        return [or_gap(v, log=log) for v in values]

    xs, ys = place(series.get("x") or ()), height(series.get("y") or ())
    low, high = series.get("low"), series.get("high")
    if low and high:
        low, high = height(low), height(high)
        axes.fill_between(xs, low, high, color=look.color, alpha=0.16, linewidth=0, gid=gid)
        if len(xs) <= 8:
            axes.vlines(xs, low, high, color=look.color, linewidth=1.4, alpha=0.55, gid=gid)
    points = series.get("points") or ()
    if points:
        px, py = place([p[0] for p in points]), height([p[1] for p in points])
        axes.plot(px, py, look.marker, color=look.color, markersize=3, alpha=0.4, markeredgewidth=0, gid=gid)
    often = max(1, len(xs) // 6)
    axes.plot(
        xs, ys, look.marker, color=look.color, linestyle=look.dash, linewidth=1.8, markersize=5, markevery=often,
        markeredgewidth=1.6 if look.marker == "X" else 0, gid=gid,
    )  # fmt: skip
    return xs, ys
