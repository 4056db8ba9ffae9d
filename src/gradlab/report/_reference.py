"""What a figure is read against: chance as a line, the diagonal of an ROC curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from gradlab.report._theme import MUTED, short
from gradlab.report.numbers import is_number, number, percent

_DASH = (0, (4, 3))


def lines_of(figure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the reference lines whose place is known."""
    found = (figure.get("reference") or {}).get("lines") or ()
    return [line for line in found if is_number(line.get("value"))]


def near(figure: Mapping[str, Any], which: str, values: Sequence[Any]) -> list[float]:
    """Return the values of the lines along one axis that widen it by no more than a third.

    What lies further away would squeeze the data; `draw_reference` names it at the border instead.
    """
    log = (figure.get(which) or {}).get("scale") == "log"
    known = [float(v) for v in values if is_number(v) and not (log and v <= 0)]
    wanted = [float(line["value"]) for line in lines_of(figure) if line.get("axis") == which]
    wanted = [v for v in wanted if not log or v > 0]
    if not known:
        return wanted
    place = math.log10 if log else float
    low, high = place(min(known)), place(max(known))
    reach = (high - low) / 3
    return [v for v in wanted if low - reach <= place(v) <= high + reach]


def draw_reference(
    axes: Axes, figure: Mapping[str, Any], *, turned: bool = False, named: bool = True
) -> None:
    """Draw the lines that lie inside the limits, name those beyond at the border, and the diagonal.

    Args:
        axes: with its limits set.
        figure: whose "reference" is drawn.
        turned: the measure y runs along the horizontal axis, as in a dot plot.
        named: write the names of lines along y beside the axis; else somebody else does.
    """
    for line in lines_of(figure):
        upright = (line.get("axis") == "x") != turned
        low, high = axes.get_xlim() if upright else axes.get_ylim()
        spec = figure.get(str(line.get("axis"))) or {}
        if low <= line["value"] <= high:
            _line(axes, line, upright=upright, named=named or upright)
        else:
            _beyond(axes, line, spec, upright=upright, below=line["value"] < low)
    if (figure.get("reference") or {}).get("diagonal"):
        _diagonal(axes)


def _line(axes: Axes, line: Mapping[str, Any], *, upright: bool, named: bool) -> None:
    """Draw one line and name it outside of the axes, where no data can hide the word."""
    look: dict[str, Any] = {"color": MUTED, "linewidth": 1.0, "linestyle": _DASH, "zorder": 1.5}
    (axes.axvline if upright else axes.axhline)(line["value"], **look)
    if not named:
        return
    where = (line["value"], 1.0) if upright else (1.0, line["value"])
    axes.annotate(
        short(line.get("label") or "", 40), where,
        xycoords=axes.get_xaxis_transform() if upright else axes.get_yaxis_transform(),
        xytext=(0, 2) if upright else (3, 0), textcoords="offset points",
        ha="center" if upright else "left", va="bottom" if upright else "center", fontsize=8.5, color=MUTED,
    )  # fmt: skip


def _beyond(
    axes: Axes, line: Mapping[str, Any], spec: Mapping[str, Any], *, upright: bool, below: bool
) -> None:
    arrow = ("←" if below else "→") if upright else ("↓" if below else "↑")
    text = f"{short(line.get('label') or '', 40)} {written(line['value'], spec)} {arrow}".strip()
    if upright:
        where, anchor, shift = (0.0 if below else 1.0, 1.0), ("left" if below else "right", "bottom"), (0, 2)
    else:
        where, anchor, shift = (1.0, 0.0 if below else 1.0), ("left", "bottom" if below else "top"), (3, 0)
    axes.annotate(
        text, where, xycoords="axes fraction", xytext=shift, textcoords="offset points", ha=anchor[0],
        va=anchor[1], fontsize=8.5, color=MUTED,
    )  # fmt: skip


def _diagonal(axes: Axes) -> None:
    """Draw where x equals y, as far as both axes reach."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    low, high = max(left, bottom), min(right, top)
    if low < high:
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1.0, linestyle=_DASH, zorder=1.5)
        middle = math.sqrt(low * high) if axes.get_xscale() == "log" and low > 0 else (low + high) / 2
        axes.annotate(
            "x = y", (middle, middle), xytext=(5, -3), textcoords="offset points", va="top", fontsize=8.5,
            color=MUTED,
        )  # fmt: skip


def written(value: float, spec: Mapping[str, Any]) -> str:
    """Write a reference's value as its axis does.

    >>> written(0.1, {"percent": True}), written(3.0, {})
    ('10%', '3')
    """
    return percent(value, 1).replace(".0%", "%") if spec.get("percent") else number(float(value))


def reference_note(figure: Mapping[str, Any]) -> str | None:
    """Say the reference in words, for those who cannot see it: "For reference: chance 10% (test accuracy)."."""
    said = [
        f"{line.get('label') or 'line'} {written(line['value'], figure.get(str(line.get('axis'))) or {})}"
        f" ({(figure.get(str(line.get('axis'))) or {}).get('label') or line.get('axis')})"
        for line in lines_of(figure)
    ]
    said += ["the diagonal x = y"] if (figure.get("reference") or {}).get("diagonal") else []
    return f"For reference: {'; '.join(said)}." if said else None
