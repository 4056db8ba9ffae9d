"""Lines with bands and points, by matplotlib."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from gradlab.report._theme import GRID, INK, MUTED, short, slim, style, to_variables
from gradlab.report.numbers import is_number
from gradlab.types import UserError

SCALES = ("linear", "log", "category")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "font.family": ["DejaVu Sans"], "font.size": 10, "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.8, "axes.axisbelow": True,
    "axes.linewidth": 0.8, "path.simplify": True, "path.simplify_threshold": 0.5, "figure.dpi": 72,
    "legend.frameon": False, "axes.unicode_minus": True, "text.parse_math": False,
}  # fmt: skip


def lines(
    figure: dict[str, Any],
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    claims: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - every kind is called alike
) -> str:
    """Draw a "lines" figure: one panel, or all as small multiples with a legend."""
    panels = figure.get("panels") or []
    chosen = panels if panel is None else [panels[panel]]
    wide = panel is not None and len(panels) == 1
    across = min(len(chosen), 2) or 1
    down = math.ceil(len(chosen) / across) or 1
    size = (5.2, 3.3) if wide else (4.6 * across, 3.0 * down + (0.35 if panel is None else 0))
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=size, layout="constrained")
        grid = canvas.subplots(down, across, squeeze=False).ravel()
        for axes, content in zip(grid, chosen, strict=False):
            _panel(axes, figure, content, order)
            if panel is None:
                axes.set_title(short(content.get("title") or "", 60), fontsize=10.5, loc="left")
                axes.set_ylabel(short((figure.get("y") or {}).get("label") or "", 40))
        for axes in grid[len(chosen) :]:
            axes.set_visible(False)
        if panel is None and order:
            _legend(canvas, grid[0], figure, order)
        return finish(canvas, figure, panel, themed)


def _panel(
    axes: Axes, figure: Mapping[str, Any], content: Mapping[str, Any], order: Mapping[str, int]
) -> None:
    x, y = figure.get("x") or {}, figure.get("y") or {}
    for axis in (x, y):
        if axis.get("scale", "linear") not in SCALES:
            raise UserError(
                f"an axis has no scale called '{axis['scale']}'; write one of {', '.join(SCALES)}."
            )
    categories = _categories(figure) if x.get("scale") == "category" else None
    for series in content.get("series") or ():
        _series(axes, series, order.get(str(series.get("name")), 0), categories, log=y.get("scale") == "log")
    _x_axis(axes, figure, x, categories)
    _y_axis(axes, figure, y)
    axes.set_xlabel(short(x.get("label") or "", 60))


def _series(
    axes: Axes, series: Mapping[str, Any], index: int, categories: dict[Any, int] | None, *, log: bool
) -> None:
    look = style(index)

    def place(values: Sequence[Any]) -> list[float]:
        return [_value(v) for v in values] if categories is None else [float(categories[v]) for v in values]

    def height(values: Sequence[Any]) -> list[float]:
        return [math.nan if log and _value(v) <= 0 else _value(v) for v in values]

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


def _value(value: Any) -> float:
    return float(value) if is_number(value) else math.nan


def _all(figure: Mapping[str, Any], *keys: str) -> list[Any]:
    """Collect all values of the named lists over all panels; "points" gives their x or y by the other keys."""
    found: list[Any] = []
    for content in figure.get("panels") or ():
        for series in content.get("series") or ():
            for key in keys:
                found += list(series.get(key) or ())
            found += [p[0 if "x" in keys else 1] for p in series.get("points") or ()]
    return found


def _categories(figure: Mapping[str, Any]) -> dict[Any, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(_all(figure, "x")))}


def _x_axis(
    axes: Axes, figure: Mapping[str, Any], x: Mapping[str, Any], categories: dict[Any, int] | None
) -> None:
    if categories is not None:
        names = [f"{c:g}" if is_number(c) else short(c, 24) for c in categories]
        steep = len(names) > 6 or any(len(name) > 9 for name in names)
        rotation: dict[str, Any] = {"rotation": 35, "ha": "right"} if steep else {}
        axes.set_xticks(range(len(categories)), names, **rotation)
        axes.set_xlim(-0.4, max(1, len(categories)) - 0.6)
        axes.grid(visible=False, axis="x")
        return
    axes.grid(visible=False, axis="x")
    values = sorted({float(v) for v in _all(figure, "x") if is_number(v)})
    if x.get("scale") == "log":
        values = [v for v in values if v > 0]
        axes.set_xscale("log")
        axes.set_xlim(*_around(min(values, default=1.0), max(values, default=10.0)))
        if values and len(values) <= 8:
            axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_power))
    elif values:
        whole = all(v.is_integer() for v in values)
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=whole))
        margin = (values[-1] - values[0]) * 0.03 or 0.5
        axes.set_xlim(values[0] - margin, values[-1] + margin)


def _y_axis(axes: Axes, figure: Mapping[str, Any], y: Mapping[str, Any]) -> None:
    values = [float(v) for v in _all(figure, "y", "low", "high") if is_number(v)]
    low, high = y.get("range") or (None, None)
    if y.get("scale") == "log":
        values = [v for v in values if v > 0]
        low, high = low or min(values, default=0.1), high or max(values, default=1.0)
        axes.set_yscale("log")
        axes.set_ylim(*_around(low, high))
        narrow = high / low < 100
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if narrow else (1,), numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(_raised if high / low > 1e5 else _power))
        return
    low = min(values, default=0.0) if low is None else low
    high = max(values, default=1.0) if high is None else high
    margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if y.get("percent"):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{round(v * 100, 6):g}%"))


def _around(low: float, high: float) -> tuple[float, float]:
    """Limits of a logarithmic axis with a margin; a single value gets half a decade to each side."""
    margin = (high / low) ** 0.05 if high > low else 3.0
    return low / margin, high * margin


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


def _legend(canvas: Canvas, axes: Axes, figure: Mapping[str, Any], order: Mapping[str, int]) -> None:
    names = dict.fromkeys(
        str(s.get("name")) for p in figure.get("panels") or () for s in p.get("series") or ()
    )
    looks = [(name, style(order.get(name, 0))) for name in names]
    handles = [
        axes.plot([], [], look.marker, color=look.color, linestyle=look.dash, linewidth=1.8, markersize=5)[0]
        for _, look in looks
    ]
    widest = max((len(name) for name, _ in looks), default=1)
    across = min(len(looks), int(canvas.get_figwidth() * 72 / (widest * 6 + 45)))
    canvas.legend(
        handles, [short(name, 60) for name, _ in looks], loc="outside upper left", ncols=max(1, across)
    )


def finish(canvas: Canvas, figure: Mapping[str, Any], panel: int | None, themed: bool) -> str:
    """Save as SVG with nothing that changes from one call to the next; ids carry a prefix of their own."""
    name = f"{figure.get('name')}/{panel}"
    prefix = "f" + hashlib.sha256(name.encode()).hexdigest()[:6]
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        canvas.savefig(
            stream, format="svg", transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )  # fmt: skip
    svg = slim(stream.getvalue(), prefix)
    return to_variables(svg) if themed else svg
