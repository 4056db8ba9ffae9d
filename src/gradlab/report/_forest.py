"""The forest: all claims of a study on one axis, in units of the smallest effect that matters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gradlab.report._canvas import SETTINGS, finish
from gradlab.report._theme import MUTED, TONES, ZONE, short
from gradlab.report.marks import check_verdict
from gradlab.report.numbers import is_number, number

SHAPES = {"supported": "o", "refuted": "X", "equivalent": "s", "inconclusive": "D"}


def forest(
    figure: dict[str, Any],
    *,
    claims: Sequence[Mapping[str, Any]],
    themed: bool,
    order: Mapping[str, int] | None = None,  # noqa: ARG001 - every kind is called alike
    panel: int | None = None,
) -> str:
    """Draw all claims in units of their own delta, against the zone from -1 to +1."""
    shown = [
        c for c in claims if is_number(c.get("estimate")) and is_number(c.get("delta")) and c["delta"] > 0
    ]
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=(5.2, 0.9 + 0.38 * max(1, len(shown))), layout="constrained")
        axes = canvas.subplots()
        axes.axvspan(-1, 1, color=ZONE, linewidth=0)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        bounds = [1.0]
        for row, claim in enumerate(shown):
            estimate, tone = claim["estimate"] / claim["delta"], TONES[check_verdict(claim["verdict"])]
            ends = [b / claim["delta"] for b in claim.get("interval") or () if is_number(b)]
            if len(ends) == 2:
                axes.plot(ends, [row, row], color=tone, linewidth=2.2, solid_capstyle="butt")
            axes.plot([estimate], [row], SHAPES[claim["verdict"]], color=tone, markersize=7)
            bounds += [abs(v) for v in [estimate, *ends]]
        axes.set_yticks(range(len(shown)), [short(c.get("id"), 18) for c in shown])
        axes.set_ylim(max(1, len(shown)) - 0.5, -0.5)
        _forest_scale(axes, max(bounds))
        return finish(canvas, figure, panel, themed)


def _forest_scale(axes: Axes, furthest: float) -> None:
    """Linear inside the zone, logarithmic outside when an effect is many times delta."""
    axes.set_xlabel("effect in units of the smallest that matters (δ)")
    axes.grid(visible=False, axis="y")
    ticks = [-1.0, 0.0, 1.0]
    if furthest > 6:
        axes.set_xscale("symlog", linthresh=1.0, linscale=1.0)
        powers = range(1, math.ceil(math.log10(furthest)) + 1)
        ticks = sorted(ticks + [s * 10.0**p for p in powers for s in (-1, 1)])
        furthest = max(furthest, 10.0)
    else:
        ticks = [float(t) for t in range(-math.ceil(furthest), math.ceil(furthest) + 1)]
    axes.set_xlim(-furthest * 1.3, furthest * 1.3)
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if abs(t) <= furthest * 1.3]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: f"{number(int(v), signed=True)}δ".replace("-", "−") if v else "0")
    )
