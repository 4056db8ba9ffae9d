"""The numbers of a figure as a small table, for those who cannot see it and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from gradlab.report._bars import check_bins
from gradlab.report._heat import cell_words, check_heat
from gradlab.report._points import is_dot_plot, sorted_categories
from gradlab.report._reference import reference_note
from gradlab.report._values import with_bounds, write_key, write_value
from gradlab.report.numbers import MISSING, is_number

MOST_ROWS = 12
MOST_NAMES = 12
Figure = Mapping[str, Any]
Numbers = dict[str, Any]


def figure_table(figure: Figure) -> Numbers | None:
    """Return columns, rows of texts, how many columns are keys, and a note; None where there is no small table.

    Of lines with more than 12 positions the last one of each panel is shown; of a histogram its quantiles.
    """
    make = _KINDS.get(str(figure.get("kind")))
    found = make(figure) if make else None
    if found is not None:
        said = [text for text in (found["note"], reference_note(figure)) if text]
        found["note"] = " ".join(said) or None
    return found


def _by_position(figure: Figure) -> Numbers | None:
    """A row a position on x, a column a series."""
    panels = figure.get("panels") or []
    names = list(dict.fromkeys(str(s.get("name")) for p in panels for s in p.get("series") or ()))
    if not names or len(names) > MOST_NAMES:
        return None
    titled, axis = any(p.get("title") for p in panels), figure.get("x") or {}
    label, found = axis.get("label") or "x", [_positions(figure, panel) for panel in panels]
    rows = []
    for panel, xs in zip(panels, found, strict=True):
        for x in _spread(xs, axis):
            cells = _row(figure, panel, names, x)
            rows.append([*([panel.get("title") or ""] if titled else []), write_key(axis, x), *cells])
    few = axis.get("scale") == "category" or max(map(len, found)) <= MOST_ROWS
    told = f"Five places on {label}" if axis.get("percent") else f"The last {label} of each panel"
    return {
        "columns": [*(["panel"] if titled else []), label, *names],
        "rows": rows,
        "key_count": 2 if titled else 1,
        "note": None if few else f"{told}; all values are in results.json.",
    }


def _positions(figure: Figure, panel: Mapping[str, Any]) -> list[Any]:
    """Return all x of a panel; of a dot plot from the largest value to the smallest."""
    if is_dot_plot(figure):
        return sorted_categories(figure, panel)[::-1]
    return list(dict.fromkeys(x for s in panel.get("series") or () for x in s.get("x") or ()))


def _spread(xs: Sequence[Any], axis: Mapping[str, Any]) -> list[Any]:
    """Return all of few positions; of many the last one, or five from end to end where x is a share."""
    if len(xs) <= MOST_ROWS or axis.get("scale") == "category":
        return list(xs)
    if axis.get("percent"):
        return [xs[round(i * (len(xs) - 1) / 4)] for i in range(5)]
    return list(xs[-1:])


def _row(figure: Figure, panel: Mapping[str, Any], names: Sequence[str], x: Any) -> list[str]:
    series = {str(s.get("name")): s for s in panel.get("series") or ()}
    cells = []
    for name in names:
        own = series.get(name) or {}
        at = list(own.get("x") or ())
        i = at.index(x) if x in at else -1
        cells.append(MISSING if i < 0 else with_bounds(own, i, figure.get("y") or {}))
    return cells


def _by_point(figure: Figure) -> Numbers | None:
    """A row a point with its place along both axes; of a dot plot a row a category."""
    if is_dot_plot(figure):
        return _by_position(figure)
    panels = figure.get("panels") or []
    titled = any(p.get("title") for p in panels)
    x, y = figure.get("x") or {}, figure.get("y") or {}
    rows = [
        [
            *([panel.get("title") or ""] if titled else []), str(series.get("name")),
            with_bounds(series, i, x, ("x", "x_low", "x_high")), with_bounds(series, i, y),
        ]
        for panel in panels for series in panel.get("series") or () for i in range(len(series.get("x") or ()))
    ]  # fmt: skip
    columns = [*(["panel"] if titled else []), "point", x.get("label") or "x", y.get("label") or "y"]
    return {"columns": columns, "rows": rows, "key_count": len(columns) - 2, "note": None} if rows else None


def _of_heat(figure: Figure) -> Numbers:
    check_heat(figure)
    first = (figure.get("y") or {}).get("label") or ""
    rows = [
        [str(name), *(cell_words(figure, i, j) for j in range(len(figure["columns"])))]
        for i, name in enumerate(figure["rows"])
    ]
    columns = [first, *(str(name) for name in figure["columns"])]
    return {"columns": columns, "rows": rows, "key_count": 1, "note": figure.get("value_label")}


def _of_histogram(figure: Figure) -> Numbers | None:
    """A row a series with the middle and the ends of its mass."""
    panels = figure.get("panels") or []
    titled, x = any(p.get("title") for p in panels), figure.get("x") or {}
    rows = []
    for panel in panels:
        for series in panel.get("series") or ():
            check_bins(series)
            found = [_quantile(series, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
            cells = [write_value({**x, "scale": "linear"}, value) for value in found]
            rows.append(
                [*([panel.get("title") or ""] if titled else []), str(series.get("name") or ""), *cells]
            )
    columns = [*(["panel"] if titled else []), x.get("label") or "", "5%", "25%", "median", "75%", "95%"]
    note = "That share of the distribution lies below these values, read off the bins; all bins are in results.json."
    return {"columns": columns, "rows": rows, "key_count": len(columns) - 5, "note": note} if rows else None


def _quantile(series: Mapping[str, Any], share: float) -> float | None:
    """Return where `share` of a histogram's mass lies below, linear inside a bin; None where there is no mass."""
    bins = list(pairwise(float(e) for e in series["edges"]))
    masses = [
        (d if is_number(d) else 0.0) * (b - a) for d, (a, b) in zip(series["density"], bins, strict=True)
    ]
    left = share * sum(masses)
    if not sum(masses):
        return None
    for mass, (a, b) in zip(masses, bins, strict=True):
        if mass and left <= mass:
            return a + (b - a) * left / mass
        left -= mass
    return bins[-1][1]


_KINDS: dict[str, Callable[[Figure], Numbers | None]] = {
    "lines": _by_position,
    "bars": _by_position,
    "points": _by_point,
    "heat": _of_heat,
    "histogram": _of_histogram,
}
"""Kind of figure -> its numbers; a matrix, a gallery and texts are told in words, a forest by the claims."""
_SHOWS = {
    "lines": "Lines of", "points": "Points with intervals:", "bars": "Bars of", "histogram": "Histogram of",
    "heat": "Heat map of", "matrix": "Confusion matrix:", "gallery": "Images:", "texts": "Texts:",
    "forest": "Intervals of all claims:",
}  # fmt: skip


def alt_text(figure: Figure) -> str:
    """Say in a sentence what a figure draws; its numbers stand in the table below it."""
    x, y = ((figure.get(axis) or {}).get("label") for axis in ("x", "y"))
    names = dict.fromkeys(
        str(s.get("name")) for p in figure.get("panels") or () for s in p.get("series") or () if s.get("name")
    )
    title, kind = figure.get("title") or figure.get("name"), str(figure.get("kind"))
    if kind == "heat":
        what = f"{figure.get('value_label') or 'values'} by {y or 'row'} and {x or 'column'}"
    elif kind == "histogram":
        what = str(x or "values")
    else:
        what = f"{y} against {x}" if x and y else str(title)
    series = (
        f", for {', '.join(names)}"
        if 1 <= len(names) <= MOST_NAMES
        else f", {len(names)} series"
        if names
        else ""
    )
    return f"{title}. {_SHOWS.get(kind, '')} {what}{series}"
