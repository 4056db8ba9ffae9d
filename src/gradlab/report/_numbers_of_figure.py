"""The numbers of a figure as a small table, for those who cannot see it and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gradlab.report.numbers import MISSING, bracket, is_number, number, percent

MOST_ROWS = 12


def figure_table(figure: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return columns, rows of texts, how many columns are keys, and a note; None where there is no small table.

    Up to 12 positions per panel all are shown, beyond them the last one of each panel.
    """
    panels = figure.get("panels") or []
    names = list(dict.fromkeys(str(s.get("name")) for p in panels for s in p.get("series") or ()))
    if figure.get("kind") != "lines" or not names or len(names) > 12:
        return None
    xs = list(dict.fromkeys(x for p in panels for s in p.get("series") or () for x in s.get("x") or ()))
    short = len(xs) <= MOST_ROWS
    titled = any(p.get("title") for p in panels)
    rows = []
    for panel in panels:
        own = list(dict.fromkeys(x for s in panel.get("series") or () for x in s.get("x") or ()))
        for x in own if short else own[-1:]:
            cells = _row(figure, panel, names, x)
            rows.append([*([panel.get("title") or ""] if titled else []), _key(x), *cells])
    label = (figure.get("x") or {}).get("label") or "x"
    note = None if short else f"The last {label} of each panel; all values stand in results.json."
    keys = 2 if titled else 1
    return {
        "columns": [*(["panel"] if titled else []), label, *names],
        "rows": rows,
        "key_count": keys,
        "note": note,
    }


def _key(x: Any) -> str:
    return number(x) if is_number(x) else str(x)


def _row(figure: Mapping[str, Any], panel: Mapping[str, Any], names: list[str], x: Any) -> list[str]:
    series = {str(s.get("name")): s for s in panel.get("series") or ()}
    y = figure.get("y") or {}

    def write(value: Any) -> str:
        if not is_number(value):
            return MISSING
        if y.get("percent"):
            return percent(value)
        if y.get("scale") == "log" and value > 0:
            return f"10^{number(math.log10(value), 1)}"
        return number(float(value))

    cells = []
    for name in names:
        own = series.get(name) or {}
        at = list(own.get("x") or ())
        i = at.index(x) if x in at else -1
        if i < 0:
            cells.append(MISSING)
            continue
        low, high = ((own.get(key) or [None] * len(at))[i] for key in ("low", "high"))
        bounds = bracket(low, high, write)
        cells.append(write(own["y"][i]) + ("" if bounds == MISSING else f" {bounds}"))
    return cells
