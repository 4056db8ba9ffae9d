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
from gradlab.report.marks import KINDS, check_verdict, region
from gradlab.report.numbers import is_number, number

SHAPES = {"supported": "o", "refuted": "X", "open": "D"}


def forest(
    figure: dict[str, Any],
    *,
    claims: Sequence[Mapping[str, Any]],
    themed: bool,
    order: Mapping[str, int] | None = None,  # noqa: ARG001 - every kind is called alike
    panel: int | None = None,
) -> str:
    """Draw all claims in units of their own delta; in each row the region is shaded where that claim holds."""
    shown = [
        c for c in claims if is_number(c.get("estimate")) and is_number(c.get("delta")) and c["delta"] > 0
    ]
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=(5.2, 0.9 + 0.38 * max(1, len(shown))), layout="constrained")
        axes = canvas.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8)
        bounds = [-1.0, 1.0]
        for row, claim in enumerate(shown):
            estimate, tone = claim["estimate"] / claim["delta"], TONES[check_verdict(claim["verdict"])]
            ends = [b / claim["delta"] for b in claim.get("interval") or () if is_number(b)]
            if len(ends) == 2:
                axes.plot(ends, [row, row], color=tone, linewidth=2.2, solid_capstyle="butt")
            axes.plot([estimate], [row], SHAPES[claim["verdict"]], color=tone, markersize=7)
            bounds += [estimate, *ends]
        axes.set_yticks(range(len(shown)), [short(c.get("id"), 18) for c in shown])
        axes.set_ylim(max(1, len(shown)) - 0.5, -0.5)
        _forest_scale(axes, min(bounds), max(bounds))
        for row, claim in enumerate(shown):
            _region(axes, claim, row)
        return finish(canvas, figure, panel, themed)


def _region(axes: Axes, claim: Mapping[str, Any], row: int) -> None:
    """Shade where the claim of this row holds, with a line at each end."""
    region(claim)  # names a kind that is not known
    low, high = KINDS[str(claim["kind"])]
    right = min(high, axes.get_xlim()[1])
    axes.barh(row, right - low, 0.8, left=low, color=ZONE, linewidth=0, zorder=0.5)
    for end in (low, high):
        if math.isfinite(end):
            axes.plot([end, end], [row - 0.4, row + 0.4], color=MUTED, linewidth=1.0, linestyle=(0, (3, 2)))


def _forest_scale(axes: Axes, low: float, high: float) -> None:
    """Linear near the regions, logarithmic outside when an effect is many times delta; each side as long as it needs."""
    axes.set_xlabel("effect in units of the smallest that matters (δ)")
    axes.grid(visible=False, axis="y")
    furthest = max(-low, high)
    if furthest > 6:
        axes.set_xscale("symlog", linthresh=1.0, linscale=1.0)
        powers = range(1, math.ceil(math.log10(furthest)) + 1)
        ticks = sorted([-1.0, 0.0, 1.0] + [s * 10.0**p for p in powers for s in (-1, 1)])
    else:
        ticks = [float(t) for t in range(-math.ceil(furthest), math.ceil(furthest) + 1)]
    ends = min(low * 1.5, -1.6), max(high * 1.5, 1.6)
    axes.set_xlim(*ends)
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if ends[0] <= t <= ends[1]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: f"{number(int(v), signed=True)}δ".replace("-", "−") if v else "0")
    )
