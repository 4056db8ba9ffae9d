"""A text whose words are coloured by what they add to a score, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

FOR, AGAINST = "31, 119, 180", "214, 39, 40"
"""Red, green and blue of what speaks for the explained class, and of what speaks against it."""


def highlight(
    text: str, spans: Sequence[tuple[int, int]], values: Sequence[float], most: float | None = None
) -> str:
    """Return a text as HTML, blue where a word speaks for the explained class and red where it speaks against it.

    Args:
        text: as written. spans: (start, end) of every word, ascending and apart. values: what each adds to the score.
        most: magnitude that is drawn in full colour; the largest of these values where it is left out.
    Returns: spans without a script; the value of a word is its title, and what stands between words is as written.
    """
    most = most if most is not None else max(map(abs, values), default=0.0)
    drawn, at = [], 0
    for (start, end), value in zip(spans, values, strict=True):
        share = min(1.0, abs(value) / most) if most > 0 else 0.0
        colour = f"rgba({FOR if value > 0 else AGAINST}, {0.8 * share:.2f})"
        drawn.append(
            f'{escape(text[at:start])}<span style="background: {colour}" title="{value:+.3f}">{escape(text[start:end])}</span>'
        )
        at = end
    return "".join(drawn) + escape(text[at:])
