"""What the templates show: tables, figures, runs, cost and provenance as plain lists of texts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gradlab.report import _pictures
from gradlab.report._labels import named_directly
from gradlab.report._lines import begins_late
from gradlab.report._numbers_of_figure import alt_text, figure_table
from gradlab.report._points import is_dot_plot
from gradlab.report._theme import swatch
from gradlab.report.figures import PANELLED, check_figure, draw, series_order
from gradlab.report.marks import Axis, axis_over, dots
from gradlab.report.numbers import MISSING, duration, is_number, level, megabytes, number, scaled, typeset
from gradlab.report.tables import Column, Table, cell_text, display_of, values_of

View = dict[str, Any]
LATE = "The axis begins where the later half of the curves does; their start lies below it."
MOST_COLUMNS = 5
"""So many columns of a table are shown; the rest is unfolded on demand."""
ASIDES = ("parameters", "networks", "learned")
"""Columns that tell of the networks, not what was measured."""


def anchor(kind: str, name: Any, number: int) -> str:
    """Make an id that is unique on the page and readable in an address."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", str(name)).strip("-").lower()
    return f"{kind}-{number}-{slug}" if slug else f"{kind}-{number}"


def table_view(table: Table, name: str = "", index: int = 1) -> View:
    """Prepare a table: heads, cells as HTML, per-seed dots on one axis per column."""
    columns = display_of(table)
    axes = [_axis(table, column) for column in columns]
    rows = [
        [
            _cell(column, values_of(table, row, column), axis)
            for column, axis in zip(columns, axes, strict=True)
        ]
        for row in table["rows"]
    ]
    heads = [
        {"text": c["header"], "right": c["kind"] in ("int", "number", "percent"), "ends": _ends(c, axis)}
        for c, axis in zip(columns, axes, strict=True)
    ]
    folded = _folded(columns)
    for cells in (heads, *rows):
        for place in folded:
            cells[place]["folded"] = True
    title = table.get("title") or name
    return {
        "anchor": anchor("table", name, index), "title": title, "caption": table.get("caption"),
        "heads": heads, "rows": rows, "folded": [heads[place]["text"] for place in folded],
    }  # fmt: skip


def _folded(columns: Sequence[Column]) -> list[int]:
    """Return which columns wait to be unfolded: the last, or where that would be all that was measured, what counts networks."""
    kept = list(range(len(columns)))[:MOST_COLUMNS]
    measured = [n for n, column in enumerate(columns) if column["kind"] in ("interval", "points")][:2]
    asides = [n for n in kept if columns[n]["columns"][0] in ASIDES]
    if measured and measured[0] not in kept:
        for place, aside in zip(measured, reversed(asides), strict=False):
            kept[kept.index(aside)] = place
    return sorted(set(range(len(columns))) - set(kept))


def _axis(table: Table, column: Column) -> Axis | None:
    if column["kind"] != "points":
        return None
    values = [v for row in table["rows"] for v in values_of(table, row, column)[0] or () if is_number(v)]
    axis = axis_over(values)
    if axis and column.get("scale") == "percent" and min(values) >= 0 and max(values) <= 1:
        return Axis(max(0.0, axis.low), min(1.0, axis.high))
    return axis


def _ends(column: Column, axis: Axis | None) -> tuple[str, str] | None:
    if axis is None:
        return None
    digits = 0 if column.get("scale") == "percent" and axis.high - axis.low > 0.05 else 1
    if column.get("scale") is None:
        digits = max(0, 1 - math.floor(math.log10(axis.high - axis.low)))
    return scaled(axis.low, column.get("scale"), digits), scaled(axis.high, column.get("scale"), digits)


def _cell(column: Column, values: list[Any], axis: Axis | None) -> View:
    text, kind = cell_text(column, values), column["kind"]
    shown: View = {"html": typeset(text), "css": "right", "value": _sort_value(values)}
    if kind == "points":
        shown |= {"html": dots(values[0], axis, text), "css": "dotted"}
    elif kind == "interval":
        estimate, _, rest = text.partition(" ")
        bounds = Markup('<span class="range">{}</span>').format(typeset(rest)) if rest else ""
        shown |= {"html": Markup("<b>{}</b>{}").format(typeset(estimate), bounds), "css": "nowrap"}
    elif kind == "text":
        shown |= {"html": text, "css": None}
    elif kind == "ratio":
        shown["css"] = None
    return shown


def _sort_value(values: list[Any]) -> float | None:
    """Return the number by which a column is sorted: of single points their mean; None sorts by text."""
    first = values[0]
    if isinstance(first, list):
        known = [v for v in first if is_number(v)]
        return sum(known) / len(known) if known else None
    return first if is_number(first) else None


def figure_views(results: Mapping[str, Any]) -> list[View]:
    """Prepare all figures; a series has one colour on the whole page."""
    figures = results.get("figures") or []
    order = series_order(figures)
    return [_figure(f, i, order, results.get("claims") or []) for i, f in enumerate(figures, 1)]


def _figure(figure: dict[str, Any], index: int, order: Mapping[str, int], claims: Sequence[Any]) -> View:
    kind = check_figure(figure)
    own = {**figure, "name": f"{index}-{figure.get('name')}"}  # ids inside the SVG stay unique
    view: View = {
        "anchor": anchor("figure", figure.get("name"), index), "kind": kind, "caption": figure.get("caption"),
        "title": figure.get("title") or figure.get("name"), "numbers": figure_table(figure), "alt": alt_text(figure),
        "note": LATE if begins_late(figure) else None,
        "narrow": kind in ("forest", "matrix", "gallery") or (kind == "heat" and len(figure.get("columns") or ()) <= 6),
    }  # fmt: skip
    if kind in PANELLED:
        panels = figure.get("panels") or []
        view["panels"] = [
            (panel.get("title"), Markup(draw(own, order=order, panel=i, themed=True)))
            for i, panel in enumerate(panels)
        ]
        view["ylabel"] = None if is_dot_plot(figure) else (figure.get("y") or {}).get("label")
        view["narrow"] = len(panels) == 1
        names = list(series_order([figure]))
        told = named_directly(figure) or names in ([""], [str((figure.get("y") or {}).get("label"))])
        view["legend"] = [] if told else [(n, order[n], Markup(swatch(order[n], kind))) for n in names]
    elif kind == "gallery":
        items = figure.get("items") or []
        view["wide"] = _pictures.breadth(items) > 1
        view["five"] = len(items) > 10 and not view["wide"]  # rows that belong together
        view["narrow"] = not view["five"]
        view["pictures"] = [(_pictures.check_png(item), *_pictures.item_words(item)) for item in items]
    else:
        view["svg"] = Markup(draw(own, claims, themed=True))
        view["confusions"] = _pictures.confusions(figure) if kind == "matrix" else None
    return view


def specs(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of "What ran"."""
    seeds = results.get("seeds") or []
    found = [
        ("Data", results.get("data")), ("Setting", results.get("setting")), ("Preset", results.get("preset")),
        ("Seeds", f"{len(seeds)} ({', '.join(map(str, seeds))})" if seeds else None), ("Look", results.get("look")),
        ("Level for this look", level(results["level"]) if is_number(results.get("level")) else None),
    ]  # fmt: skip
    return [(name, str(value)) for name, value in found if value is not None]


def plain_value(value: Any) -> str:
    """Write a parameter's value: lists with commas, null as a dash."""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_value(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return MISSING if value is None else str(value)


def arms_view(results: Mapping[str, Any]) -> View | None:
    """Prepare the list of arms: label, factors, parameters, layers, recipe."""
    arms = results.get("arms") or []
    if not arms:
        return None
    factors = list(dict.fromkeys(key for arm in arms for key in arm.get("factors") or {}))
    columns = ["Arm", *factors, "parameters", "layers", "recipe"]
    rows = [
        [
            arm.get("label") or arm.get("name"),
            *(plain_value((arm.get("factors") or {}).get(key)) for key in factors),
            number(arm.get("parameters")), plain_value(arm.get("layers")), plain_value(arm.get("recipe")),
        ]
        for arm in arms
    ]  # fmt: skip
    return {"columns": columns, "rows": rows, "right": [len(factors) + 1]}


def cost_view(results: Mapping[str, Any]) -> View | None:
    """Prepare time and memory, in all and per arm."""
    cost = results.get("cost") or {}
    if not cost:
        return None
    labels = {arm["name"]: arm.get("label") or arm["name"] for arm in results.get("arms") or []}
    arms = cost.get("per_arm") or []
    most = max((a["seconds"] for a in arms if is_number(a.get("seconds"))), default=0) or 1
    rows = [
        {
            "arm": labels.get(a["arm"], a["arm"]), "seconds": duration(a.get("seconds")),
            "memory": megabytes(a.get("peak_memory_mb")), "part": f"{100 * (a.get('seconds') or 0) / most:.1f}",
        }
        for a in arms
    ]  # fmt: skip
    runs = cost.get("runs")
    spread = f" over {runs} run{'s' if runs != 1 else ''}" if runs else ""
    summary = f"{duration(cost.get('seconds'))} of computing{spread}"
    if is_number(cost.get("peak_memory_mb")):
        summary += f", {megabytes(cost['peak_memory_mb'])} of memory at the peak"
    return {"summary": summary + ".", "rows": rows}


def twins_view(results: Mapping[str, Any]) -> list[View]:
    """Prepare the pairs that are compared: names for people, what differs, what is the same."""
    labels = {arm["name"]: arm.get("label") or arm["name"] for arm in results.get("arms") or []}
    return [
        {
            "a": labels.get(twin["a"], twin["a"]), "b": labels.get(twin["b"], twin["b"]),
            "differs": twin.get("differences") or ["nothing"], "same": twin.get("same") or ["not checked"],
        }
        for twin in results.get("twins") or []
    ]  # fmt: skip


def provenance_view(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return provenance as (name, value); the command stands elsewhere."""
    provenance = results.get("provenance") or {}
    return [
        (name.replace("_", " "), plain_value(value))
        for name, value in provenance.items()
        if name != "command" and value not in (None, "", [], {})
    ]
