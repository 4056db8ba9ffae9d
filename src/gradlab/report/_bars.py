"""Bars in groups, and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gradlab.report._axes import all_values, categories_of, measure_axis, or_gap, place_axis
from gradlab.report._canvas import small_multiples
from gradlab.report._points import ends
from gradlab.report._reference import draw_reference, near
from gradlab.report._spots import Spot, some
from gradlab.report._theme import INK, style
from gradlab.report._values import with_bounds, write_value
from gradlab.report.numbers import is_number
from gradlab.types import UserError


def bars(
    figure: dict[str, Any],
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    claims: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - every kind is called alike
) -> str:
    """Draw a "bars" figure: a group of bars a category, one bar a series, with interval and single seeds."""
    if (figure.get("x") or {}).get("scale", "category") != "category":
        raise UserError('bars stand over categories; write "scale": "category" for x, or use kind \'lines\'.')
    named = {**figure, "x": {**(figure.get("x") or {}), "scale": "category"}}
    return small_multiples(named, _bar_panel, order=order, panel=panel, themed=themed)


def _bar_panel(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> list[Spot]:
    y, categories = figure.get("y") or {}, categories_of(figure) or {}
    log, drawn = y.get("scale") == "log", content.get("series") or ()
    values = all_values(figure, "y", "low", "high")
    place_axis(axes, figure, categories)
    measure_axis(axes, "y", y, [*values, *near(figure, "y", values)], zero=not log)
    axes.set_xlim(-0.55, max(1, len(categories)) - 0.45)
    foot = axes.get_ylim()[0] if log else 0.0
    spots = []
    width = min(0.8 / (len(drawn) or 1), 0.5)
    for number, series in enumerate(drawn):
        shift = (number - (len(drawn) - 1) / 2) * width
        places = {name: place + shift for name, place in categories.items()}
        look = order.get(str(series.get("name")), 0)
        _bar_series(axes, series, look, places, (width, foot), log=log)
        for i, name in enumerate(series.get("x") or ()):
            text = f"{series.get('name')}, {name}: {with_bounds(series, i, y)}"
            spots.append(Spot(places[name], or_gap(series["y"][i], log=log), look, text))
    axes.axhline(foot, color=axes.spines["bottom"].get_edgecolor(), linewidth=0.8)
    draw_reference(axes, figure)
    return spots


def _bar_series(
    axes: Axes,
    series: Mapping[str, Any],
    index: int,
    places: Mapping[Any, float],
    shape: tuple[float, float],
    *,
    log: bool,
) -> None:
    (width, foot), color, gid = shape, style(index).color, f"series-{index}"
    xs = [places[name] for name in series.get("x") or ()]
    ys = [or_gap(v, log=log) for v in series.get("y") or ()]
    axes.bar(
        xs, [y - foot for y in ys], width * 0.9, bottom=foot, color=color, alpha=0.72, linewidth=0, gid=gid
    )
    single = series.get("points") or ()
    axes.plot(
        [places[p[0]] for p in single], [or_gap(p[1], log=log) for p in single], "o", color=INK,
        markersize=3, alpha=0.6, markeredgewidth=0, gid=gid,
    )  # fmt: skip
    axes.vlines(xs, *ends(series, "low", "high", log=log), color=INK, linewidth=1.4, gid=gid)


def histogram(
    figure: dict[str, Any],
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    claims: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - every kind is called alike
) -> str:
    """Draw a "histogram" figure: densities as outlines over each other, lightly filled."""
    for content in figure.get("panels") or ():
        for series in content.get("series") or ():
            check_bins(series)
    return small_multiples(figure, _histogram_panel, order=order, panel=panel, themed=themed)


def check_bins(series: Mapping[str, Any]) -> None:
    """Refuse a histogram whose edges do not fit its densities."""
    edges, density = series.get("edges") or (), series.get("density") or ()
    if len(edges) != len(density) + 1:
        raise UserError(
            f"a histogram of {len(density)} densities needs {len(density) + 1} edges, got {len(edges)}."
        )


def _histogram_panel(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> list[Spot]:
    spots, x = [], figure.get("x") or {}
    for series in content.get("series") or ():
        number = order.get(str(series.get("name")), 0)
        look, gid = style(number), f"series-{number}"
        density = [float(v) if is_number(v) else 0.0 for v in series.get("density") or ()]
        axes.stairs(density, series["edges"], fill=True, color=look.color, alpha=0.2, gid=gid)
        axes.stairs(density, series["edges"], color=look.color, linewidth=1.7, linestyle=look.dash, gid=gid)
        for i in some(len(density)):
            left, right = series["edges"][i : i + 2]
            text = (
                f"{series.get('name')}, {write_value(x, left)} to {write_value(x, right)}: {density[i]:.3g}"
            )
            spots.append(Spot((left + right) / 2, density[i], number, text))
    axes.grid(visible=False, axis="x")
    edges, densities = all_values(figure, "edges"), all_values(figure, "density")
    measure_axis(axes, "x", figure.get("x") or {}, [*edges, *near(figure, "x", edges)])
    measure_axis(axes, "y", figure.get("y") or {}, densities, zero=True)
    draw_reference(axes, figure)
    return spots
