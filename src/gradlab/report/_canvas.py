"""Small multiples: the frame that every figure with axes shares, its legend, and how it becomes an SVG."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gradlab.report._axes import check_scales
from gradlab.report._labels import named_directly
from gradlab.report._spots import Spot, spots_svg
from gradlab.report._theme import GRID, INK, MUTED, short, slim, style, to_variables

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "font.family": ["DejaVu Sans"], "font.size": 10, "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.8, "axes.axisbelow": True,
    "axes.linewidth": 0.8, "path.simplify": True, "path.simplify_threshold": 0.5, "figure.dpi": 72,
    "legend.frameon": False, "axes.unicode_minus": True, "text.parse_math": False,
}  # fmt: skip
Paint = Callable[[Axes, Mapping[str, Any], Mapping[str, Any], Mapping[str, int]], list[Spot]]
"""Draws one panel: (axes, the figure, the panel, series -> number of its look) -> what it says on hover."""
SIZES = {1: (5.2, 3.3), 2: (4.6, 2.7), 3: (3.1, 2.6)}
"""Width and height in inches of one of so many panels (3: or more), so that letters are as large in a row of any length."""


def small_multiples(
    figure: Mapping[str, Any],
    paint: Paint,
    *,
    order: Mapping[str, int],
    panel: int | None,
    themed: bool,
    height: float | None = None,
    turned: bool = False,
) -> str:
    """Draw one panel, or all of them with titles and a legend.

    Args:
        figure: with "panels", each a title and series.
        paint: draws what is inside one panel.
        order: name of a series -> number of its colour, marker and dash.
        panel: draw only this one; None: all.
        themed: colours are the page's CSS variables.
        height: of a panel, in inches; None: as SIZES says.
        turned: the measure runs along x, so the label of y is the one below.
    """
    check_scales(figure)
    panels = figure.get("panels") or []
    chosen = panels if panel is None else [panels[panel]]
    across = min(len(chosen), 2) or 1
    down = math.ceil(len(chosen) / across) or 1
    wide, high = SIZES[min(max(1, len(panels)), 3) if panel is not None else 2]
    size = (wide * across, (height or high) * down + (0.35 if panel is None else 0))
    below, beside = (figure.get(axis) or {} for axis in ("yx" if turned else "xy"))
    spots: list[tuple[Axes, list[Spot]]] = []
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=size, layout="constrained")
        grid = canvas.subplots(down, across, squeeze=False).ravel()
        for axes, content in zip(grid, chosen, strict=False):
            spots.append((axes, paint(axes, figure, content, order)))
            axes.set_xlabel(short(below.get("label") or "", 60))
            if panel is None:
                axes.set_title(short(content.get("title") or "", 60), fontsize=10.5, loc="left", pad=14)
                axes.set_ylabel("" if turned else short(beside.get("label") or "", 40))
        for axes in grid[len(chosen) :]:
            axes.set_visible(False)
        if panel is None and order and not named_directly(figure):
            _legend(canvas, figure, order)
        return finish(canvas, figure, panel, themed, spots)


def _legend(canvas: Canvas, figure: Mapping[str, Any], order: Mapping[str, int]) -> None:
    names = dict.fromkeys(
        str(s.get("name")) for p in figure.get("panels") or () for s in p.get("series") or ()
    )
    handles = [_handle(str(figure.get("kind")), order.get(name, 0)) for name in names]
    if list(names) in ([""], [str((figure.get("y") or {}).get("label"))]):
        return  # the axis says it already
    widest = max((len(name) for name in names), default=1)
    across = min(len(names), int(canvas.get_figwidth() * 72 / (widest * 6 + 45)))
    canvas.legend(
        handles, [short(name, 60) for name in names], loc="outside upper left", ncols=max(1, across)
    )


def _handle(kind: str, number: int) -> Artist:
    """Make the legend's sample: an area for bars and histograms, a marker for points, a line with marker else."""
    look = style(number)
    if kind in ("bars", "histogram"):
        return Patch(facecolor=look.color, alpha=0.75)
    dash: Any = "none" if kind == "points" else look.dash
    return Line2D([], [], marker=look.marker, color=look.color, linestyle=dash, linewidth=1.8, markersize=5)


def finish(
    canvas: Canvas,
    figure: Mapping[str, Any],
    panel: int | None,
    themed: bool,
    spots: Sequence[tuple[Axes, Sequence[Spot]]] = (),
) -> str:
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
    svg = svg.rstrip().removesuffix("</svg>") + spots_svg(spots, canvas.get_figheight() * 72) + "</svg>"
    return to_variables(svg) if themed else svg
