"""Names beside what they name: at the ends of lines, pushed apart where they would overlap."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from gradlab.report._theme import MUTED, short, style

MOST, LONGEST, LINE, GAP = 14, 40, 18, 10.5
"""So many names of so many letters find room beside an axis; letters a line; points a line."""
MUTED_NUMBER = -1
"""Instead of a series' number: the name of a reference line."""


class Name(NamedTuple):
    """A name to be written beside an axis: text, height as a share of the axis, number of its look."""

    text: str
    height: float
    number: int


def named_directly(figure: Mapping[str, Any]) -> bool:
    """Say whether the series of a figure bear their names themselves, so that it needs no legend."""
    panels = figure.get("panels") or []
    if figure.get("kind") != "lines" or not 1 <= len(panels) <= 2 or (figure.get("x") or {}).get("percent"):
        return False
    named = [{str(s.get("name")) for s in p.get("series") or ()} for p in panels]
    names = set().union(*named)
    lines = max((len(textwrap.wrap(name, LINE)) for name in names), default=0)
    fits = max(map(len, named)) <= MOST // max(1, lines)
    return len(names) > 1 and fits and max(map(len, names)) <= LONGEST


def share_of_height(axes: Axes, value: float) -> float:
    """Return where a value of y lies: 0 at the lower end of the axis, 1 at the upper; the limits are set."""
    return float((axes.transScale + axes.transLimits).transform((axes.get_xlim()[0], value))[1])


def name_ends(axes: Axes, names: Sequence[Name]) -> None:
    """Write names right of an axis at the height of their lines' ends."""
    height = axes.figure.bbox.height * 0.72  # about: labels and ticks take the rest
    rows = max(1, axes.get_gridspec().nrows) if axes.get_gridspec() else 1  # type: ignore[union-attr]
    wanted = sorted(names, key=lambda name: name.height)
    texts = [textwrap.fill(short(name.text, LONGEST), LINE) for name in wanted]
    deepest = max((text.count("\n") + 1 for text in texts), default=1)
    places = apart([name.height for name in wanted], (GAP * deepest + 1) * rows / height)
    for name, text, place in zip(wanted, texts, places, strict=True):
        muted = name.number == MUTED_NUMBER
        axes.annotate(
            text, (1.0, place), xycoords="axes fraction", xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8.5,
            color=MUTED if muted else style(name.number).color, gid=None if muted else f"series-{name.number}",
        )  # fmt: skip


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Move sorted heights as little as needed, so that neighbours are `gap` apart and all lie in [0, 1] if they fit.

    >>> apart([0.5, 0.5], 0.2), apart([0.1, 0.9], 0.2)
    ([0.4, 0.6], [0.1, 0.9])
    """
    groups = [[min(1.0, max(0.0, h))] for h in heights]
    while True:
        spans = [_span(group, gap) for group in groups]
        touching = next((i for i, (a, b) in enumerate(pairwise(spans)) if b[0] - a[1] < gap - 1e-9), None)
        if touching is None:
            return [
                round(low + k * gap, 6)
                for group, (low, _) in zip(groups, spans, strict=True)
                for k in range(len(group))
            ]
        groups[touching : touching + 2] = [groups[touching] + groups[touching + 1]]


def _span(group: Sequence[float], gap: float) -> tuple[float, float]:
    """Return the lower and upper end of names that stand in one block around the mean of where they want to be."""
    length = (len(group) - 1) * gap
    middle = sum(group) / len(group)
    low = min(max(0.0, middle - length / 2), max(0.0, 1.0 - length))
    return low, low + length
