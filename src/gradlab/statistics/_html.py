"""A judgement as a small piece of HTML, for notebooks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

COLOURS = {"supported": "#1a7f37", "refuted": "#b42318", "open": "#6b6b6b"}
_WIDTH, _HEIGHT = 320, 44


def judgement(
    verdict: str,
    reading: str,
    drawing: str,
    rows: Sequence[tuple[str, str]],
    parts: Sequence[tuple[str, str, str]],
) -> str:
    """Return verdict, sentence, drawing and rows; all text is escaped."""
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in rows)
    items = "".join(
        f"<li><b>{escape(label)}</b>: {_badge(name)} {escape(text)}</li>" for label, name, text in parts
    )
    listing = f"<ul>{items}</ul>" if items else ""
    return f"<div><p>{_badge(verdict)} {escape(reading)}</p>{drawing}<table>{cells}</table>{listing}</div>"


def interval_svg(low: float, high: float, estimate: float, delta: float) -> str:
    """Return the interval as a line with its estimate, against -delta, 0 and +delta; "" where unbounded."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    reach = 1.1 * max(abs(low), abs(high), 1.5 * delta)

    def at(value: float) -> str:
        return f"{_WIDTH / 2 * (1 + value / reach):.1f}"

    ticks = "".join(
        f'<line x1="{at(x)}" x2="{at(x)}" y1="4" y2="28" stroke="#999" stroke-dasharray="3 2"/>'
        f'<text x="{at(x)}" y="42" font-size="11" text-anchor="middle" fill="#666">{x:g}</text>'
        for x in (-delta, 0.0, delta)
    )
    line = f'<line x1="{at(low)}" x2="{at(high)}" y1="16" y2="16" stroke="#333" stroke-width="3"/>'
    dot = f'<circle cx="{at(estimate)}" cy="16" r="4" fill="#333"/>'
    label = (
        f"interval from {low:.4g} to {high:.4g}, estimate {estimate:.4g}, against plus and minus {delta:g}"
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{label}">{ticks}{line}{dot}</svg>'
    )


def _badge(verdict: str) -> str:
    return f'<b style="color:{COLOURS[verdict]}">{verdict}</b>'
