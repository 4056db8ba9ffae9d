"""Axes: scales, limits, and ticks that people read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    MultipleLocator,
    NullLocator,
)

from gradlab.report._theme import short
from gradlab.report.numbers import is_number, minus
from gradlab.types import UserError

SCALES = ("linear", "log", "category")
LETTER, BESIDE = 6.4, 50
"""Points of a digit of a tick, and of what stands beside an axis; figures have 72 dots an inch."""
LEVELS = 255
"""Grey levels between black and white; a radius on the [0, 1] pixel scale is told as a fraction of them."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def check_scales(figure: Mapping[str, Any]) -> None:
    """Refuse a scale that is not known."""
    for axis in (figure.get("x") or {}, figure.get("y") or {}):
        if axis.get("scale", "linear") not in SCALES:
            raise UserError(
                f"an axis has no scale called '{axis['scale']}'; write one of {', '.join(SCALES)}."
            )


def or_gap(value: Any, *, log: bool = False) -> float:
    """Return a number, or NaN (a gap) where there is none or where a log axis has no place for it."""
    return float(value) if is_number(value) and not (log and value <= 0) else math.nan


def all_values(figure: Mapping[str, Any], *keys: str) -> list[Any]:
    """Collect all values of the named lists over all panels; "points" gives their x or y by the other keys."""
    found: list[Any] = []
    for content in figure.get("panels") or ():
        for series in content.get("series") or ():
            for key in keys:
                found += list(series.get(key) or ())
            found += [p[0 if "x" in keys else 1] for p in series.get("points") or ()]
    return found


def categories_of(figure: Mapping[str, Any]) -> dict[Any, int] | None:
    """Number the categories of x by first appearance; None where x has another scale."""
    if (figure.get("x") or {}).get("scale") != "category":
        return None
    return {name: i for i, name in enumerate(dict.fromkeys(all_values(figure, "x")))}


def place_axis(axes: Axes, figure: Mapping[str, Any], categories: Mapping[Any, int] | None) -> None:
    """Set up x as a row of places that were tried: a tick at each where they are few."""
    x = figure.get("x") or {}
    axes.grid(visible=False, axis="x")
    if categories is not None:
        names = [f"{c:g}" if is_number(c) else short(c, 24) for c in categories]
        steep = len(names) > 6 or any(len(name) > 9 for name in names)
        rotation: dict[str, Any] = {"rotation": 35, "ha": "right"} if steep else {}
        axes.set_xticks(range(len(categories)), names, **rotation)
        axes.set_xlim(-0.4, max(1, len(categories)) - 0.6)
        return
    values = sorted({float(v) for v in all_values(figure, "x") if is_number(v)})
    if x.get("scale") == "log":
        values = [v for v in values if v > 0]
        axes.set_xscale("log")
        axes.set_xlim(*_around(min(values, default=1.0), max(values, default=10.0)))
        if values and len(values) <= 8:
            axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_percent if x.get("percent") else _power))
    elif values:
        whole = all(v.is_integer() for v in values) and not x.get("percent")
        margin = (values[-1] - values[0]) * 0.03 or 0.5
        axes.set_xlim(values[0] - margin, values[-1] + margin)
        if x.get("percent"):
            axes.xaxis.set_major_formatter(FuncFormatter(_percent))
        if x.get("label") == "eps" and _in_levels(values):
            axes.xaxis.set_major_locator(MultipleLocator(_level_step(values[-1] * LEVELS) / LEVELS))
            axes.xaxis.set_major_formatter(FuncFormatter(_levels))
            return
        axes.xaxis.set_major_locator(_spaced(axes, whole=whole))


def _in_levels(values: Sequence[float]) -> bool:
    """Whether radii are halves or whole numbers of grey levels, as they are told in the text, and not such as 0.1 or 0.3."""
    halves, twentieths = (all(abs(n * v - round(n * v)) < 1e-3 for v in values) for n in (2 * LEVELS, 20))
    return halves and not twentieths


def _level_step(highest: float) -> float:
    """Return a power of two of grey levels that takes at most four steps to the highest."""
    return float(2 ** math.ceil(math.log2(highest / 4)))


def _levels(value: float, _: object = None) -> str:
    return f"{LEVELS * value:.3g}/{LEVELS}" if abs(value) > 1e-9 else "0"


def _spaced(axes: Axes, *, whole: bool) -> MaxNLocator:
    """Place up to seven ticks on a linear x whose limits are set, fewer where their numbers would touch."""
    low, high = axes.get_xlim()
    grid, write = axes.get_gridspec(), axes.xaxis.get_major_formatter().format_ticks
    width = axes.figure.bbox.width / (grid.ncols if grid else 1) - BESIDE
    for count in range(7, 2, -1):
        locator = MaxNLocator(count, integer=whole)
        ticks = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
        apart = width * (ticks[1] - ticks[0]) / (high - low) if len(ticks) > 1 else width
        if apart > LETTER * (1 + max(map(len, write(ticks)), default=0)):
            return locator
    return MaxNLocator(2, integer=whole)


def measure_axis(
    axes: Axes,
    which: Literal["x", "y"],
    axis: Mapping[str, Any],
    values: Sequence[Any],
    *,
    zero: bool = False,
) -> None:
    """Set up an axis for a measure: it zooms to the values, or spans `range` where that is given.

    Args:
        axes: what to set up.
        which: "x" or "y".
        axis: the figure's description of this axis: scale, percent, range.
        values: all that is drawn along it.
        zero: a linear axis begins at 0, as bars need it.
    """
    known = [float(v) for v in values if is_number(v)]
    low, high = axis.get("range") or (None, None)
    limit, ticks = (axes.set_xlim, axes.xaxis) if which == "x" else (axes.set_ylim, axes.yaxis)
    if axis.get("scale") == "log":
        known = [v for v in known if v > 0]
        low, high = low or min(known, default=0.1), high or max(known, default=1.0)
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        limit(*_around(low, high))
        ticks.set_major_locator(LogLocator(10, subs=(1, 2, 5) if high / low < 100 else (1,), numticks=6))
        ticks.set_minor_locator(NullLocator())
        plain = _percent if axis.get("percent") else _power
        ticks.set_major_formatter(FuncFormatter(_raised if high / low > 1e5 else plain))
        return
    known += [0.0] if zero else []
    low = min(known, default=0.0) if low is None else low
    high = max(known, default=1.0) if high is None else high
    margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    limit(low if zero and low == 0 else low - margin, high + margin)
    ticks.set_major_locator(MaxNLocator(5))
    if axis.get("percent"):
        ticks.set_major_formatter(FuncFormatter(_percent))


def _around(low: float, high: float) -> tuple[float, float]:
    """Limits of a logarithmic axis with a margin; a single value gets half a decade to each side."""
    margin = (high / low) ** 0.05 if high > low else 3.0
    return low / margin, high * margin


def _percent(value: float, _position: int | None = None) -> str:
    """Write a fraction's tick as per cent.

    >>> _percent(0.5), _percent(-0.0025)
    ('50%', '−0.25%')
    """
    return minus(f"{round(value * 100, 6):g}%")


def _power(value: float, _position: int | None = None) -> str:
    """Write a tick of a log axis: 0.02, 1, 500, else a raised power of ten.

    >>> _power(64.0), _power(1e-12), _power(5e-4)
    ('64', '10⁻¹²', '5·10⁻⁴')
    """
    return f"{value:g}" if 0.01 <= value < 10000 else _raised(value)


def _raised(value: float, _position: int | None = None) -> str:
    """Write a tick as a power of ten, so that an axis of many decades reads alike from end to end.

    >>> _raised(1.0), _raised(0.1), _raised(100.0)
    ('1', '10⁻¹', '10²')
    """
    if value == 1:
        return "1"
    power = math.floor(math.log10(value) + 1e-9)
    factor = f"{value / 10.0**power:.3g}"
    return ("" if factor == "1" else f"{factor}·") + "10" + f"{power}".translate(_SUPERSCRIPT)
