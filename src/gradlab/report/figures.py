"""Figures as SVG: `draw` turns a figure of results.json into one picture, the page draws panel by panel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from gradlab.report import _bars, _forest, _heat, _lines, _pictures, _points, _texts
from gradlab.types import UserError, did_you_mean

Figure = dict[str, Any]
Draw = Callable[..., str]

FIGURES: dict[str, Draw] = {
    "lines": _lines.lines,
    "points": _points.points,
    "bars": _bars.bars,
    "histogram": _bars.histogram,
    "heat": _heat.heat,
    "forest": _forest.forest,
    "matrix": _pictures.matrix,
    "gallery": _pictures.gallery,
    "texts": _texts.texts,
}
"""Kind of figure -> the function (figure, claims, order, panel, themed) -> SVG."""
PANELLED = ("lines", "points", "bars", "histogram")
"""Kinds that have panels of series; the page draws each panel as a picture of its own."""


def check_figure(figure: Figure) -> str:
    """Return the figure's kind.

    Raises:
        UserError: the kind is not known.
    """
    kind = figure.get("kind")
    if kind not in FIGURES:
        raise UserError(f"no kind of figure is called '{kind}': {did_you_mean(str(kind), list(FIGURES))}")
    return str(kind)


def series_order(figures: Sequence[Figure]) -> dict[str, int]:
    """Number the names of all series by first appearance, so that a name keeps its colour on the whole page."""
    order: dict[str, int] = {}
    for figure in figures:
        for panel in figure.get("panels") or ():
            for series in panel.get("series") or ():
                order.setdefault(str(series.get("name")), len(order))
    return order


def figure_names(figures: Sequence[Figure]) -> list[str]:
    """Return a file name without ending for each figure: its own name made safe, with its number where two share one."""
    safe = [
        re.sub(r"[^\w-]+", "-", str(figure.get("name") or "")).strip("-") or "figure" for figure in figures
    ]
    return [f"{name}-{i}" if safe.count(name) > 1 else name for i, name in enumerate(safe, 1)]


def figure_files(results: Mapping[str, Any]) -> dict[str, str]:
    """Return all figures as SVG on white: path inside the report's folder -> text; a series looks alike in all."""
    figures = results.get("figures") or []
    order, claims = series_order(figures), results.get("claims") or []
    return {
        f"figures/{name}.svg": _on_white(draw(figure, claims, order=order))
        for name, figure in zip(figure_names(figures), figures, strict=True)
    }


def _on_white(svg: str) -> str:
    head, _, rest = svg.partition(">")
    return f'{head}><rect width="100%" height="100%" fill="#ffffff"/>{rest}'


def draw(
    figure: Figure,
    claims: Sequence[Mapping[str, Any]] = (),
    *,
    order: Mapping[str, int] | None = None,
    panel: int | None = None,
    themed: bool = False,
) -> str:
    """Draw a figure as one SVG; the same input gives the same bytes, and what was drawn last is kept (64 figures).

    Args:
        figure: an entry of results["figures"].
        claims: results["claims"], which a figure of kind "forest" shows.
        order: name of a series -> number of its colour, marker and dash (`series_order` of all figures).
        panel: draw only this panel (of a kind with panels); None: all of them, with a legend.
        themed: colours are the page's CSS variables (light and dark) instead of fixed ones.

    Raises:
        UserError: unknown kind of figure, or of axis scale.
    """
    kind = check_figure(figure)
    shown = {"claims": list(claims) if kind == "forest" else [], "panel": panel, "themed": themed}
    order = series_order([figure]) if order is None else dict(order)
    return _drawn(json.dumps([figure, {**shown, "order": order}]))


@lru_cache(maxsize=64)
def _drawn(asked: str) -> str:
    figure, how = json.loads(asked)
    return FIGURES[figure["kind"]](figure, **how)
