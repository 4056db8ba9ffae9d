"""Values on hover: invisible marks over what is drawn, each with a text that a browser shows by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import escape
from matplotlib.axes import Axes

MOST = 24
"""So many marks a series; of longer ones every k-th."""


class Spot(NamedTuple):
    """A place in the units of its axes, the number of its series, and what it says."""

    x: float
    y: float
    number: int
    text: str


def some(count: int) -> Iterable[int]:
    """Return the positions that get a mark: all of few, else every k-th and the last.

    >>> list(some(3)), len(list(some(500))) <= MOST + 1
    ([0, 1, 2], True)
    """
    step = math.ceil(count / MOST) or 1
    return sorted({*range(0, count, step), *range(max(0, count - 1), count)})


def spots_svg(found: Sequence[tuple[Axes, Sequence[Spot]]], height: float) -> str:
    """Draw the marks of all axes of a figure after its layout is fixed; `height` in points turns y downwards."""
    body = []
    for axes, spots in found:
        box = axes.bbox
        for spot in spots:
            if not (math.isfinite(spot.x) and math.isfinite(spot.y)):
                continue
            x, y = axes.transData.transform((spot.x, spot.y))
            if box.x0 - 1 <= x <= box.x1 + 1 and box.y0 - 1 <= y <= box.y1 + 1:
                body.append(
                    f'<circle data-s="{spot.number}" cx="{x:.1f}" cy="{height - y:.1f}" r="6">'
                    f"<title>{escape(spot.text)}</title></circle>"
                )
    return f'<g class="hot" fill-opacity="0">{"".join(body)}</g>' if body else ""
