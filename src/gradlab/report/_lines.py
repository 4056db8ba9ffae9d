"""Lines with bands and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gradlab.report._axes import all_values, categories_of, measure_axis, or_gap, place_axis
from gradlab.report._canvas import small_multiples
from gradlab.report._reference import draw_reference, near
from gradlab.report._theme import style


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
) -> None:
    y, categories = figure.get("y") or {}, categories_of(figure)
    for series in content.get("series") or ():
        _series(axes, series, order.get(str(series.get("name")), 0), categories, log=y.get("scale") == "log")
    place_axis(axes, figure, categories)
    values = all_values(figure, "y", "low", "high")
    measure_axis(axes, "y", y, [*values, *near(figure, "y", values)])
    draw_reference(axes, figure)


def _series(
    axes: Axes, series: Mapping[str, Any], index: int, categories: Mapping[Any, int] | None, *, log: bool
) -> None:
    look = style(index)

    def place(values: Sequence[Any]) -> list[float]:
        return [or_gap(v) for v in values] if categories is None else [float(categories[v]) for v in values]

    def height(values: Sequence[Any]) -> list[float]:
        return [or_gap(v, log=log) for v in values]

    xs, ys = place(series.get("x") or ()), height(series.get("y") or ())
    low, high = series.get("low"), series.get("high")
    if low and high:
        low, high = height(low), height(high)
        axes.fill_between(xs, low, high, color=look.color, alpha=0.16, linewidth=0)
        if len(xs) <= 8:
            axes.vlines(xs, low, high, color=look.color, linewidth=1.4, alpha=0.55)
    points = series.get("points") or ()
    if points:
        px, py = place([p[0] for p in points]), height([p[1] for p in points])
        axes.plot(px, py, look.marker, color=look.color, markersize=3, alpha=0.4, markeredgewidth=0)
    often = max(1, len(xs) // 6)
    axes.plot(
        xs, ys, look.marker, color=look.color, linestyle=look.dash, linewidth=1.8, markersize=5, markevery=often,
        markeredgewidth=1.6 if look.marker == "X" else 0,
    )  # fmt: skip
