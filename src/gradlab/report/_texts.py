"""Texts whose words are coloured by what they add to a score, as SVG and in words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import escape

from gradlab.report._pictures import HEAD, RIGHT, WRONG, item_words
from gradlab.report._theme import short

ACROSS, WIDE, HIGH = 88, 7, 18
"""Characters of a line, pixels of a character, pixels of a line."""
MOST = 600
"""Characters of a text that are drawn."""
LINE = 'style="font-family:monospace" xml:space="preserve"'
PIECE = 'lengthAdjust="spacingAndGlyphs"'
TOLD = 4
"""Words of a text that are told where it is not drawn: those that add most, either way."""


def texts(figure: dict[str, Any], *, themed: bool, **_: Any) -> str:
    """Draw texts one below the other, in one scale: blue words speak for the predicted class, orange ones against it."""
    items = figure.get("items") or []
    largest = max((abs(value) for item in items for *_span, value in item["words"]), default=0.0) or 1.0
    body, y = [], 0
    for item in items:
        body.append(
            f'<text x="4" y="{y + 14}" font-weight="600">{escape(" · ".join(t for t in item_words(item) if t))}</text>'
        )
        lines = list(_lines(str(item["text"])[:MOST]))
        body += _boxes(item, lines, largest, y + HIGH)
        for line, (start, end) in enumerate(lines):
            pieces = "".join(_pieces(item, start, end))
            body.append(f'<text y="{y + HIGH * (line + 1) + 13}" {LINE}>{pieces}</text>')
        y += HIGH * (len(lines) + 1) + 8
    svg = f"{HEAD.format(w=ACROSS * WIDE + 8, h=max(1, y))}{''.join(body)}</svg>"
    return svg.replace(RIGHT, "var(--s0)").replace(WRONG, "var(--s1)") if themed else svg


def told(item: Mapping[str, Any]) -> str:
    """Say of one text its classes, its beginning, and the words that add most."""
    text = str(item["text"])
    largest = sorted(item["words"], key=lambda word: -abs(word[2]))[:TOLD]
    named = ", ".join(f"{text[start:end]} {value:+.2f}" for start, end, value in largest)
    return " · ".join(part for part in (*item_words(item), short(text, 120), named) if part)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text at spaces into lines (start, end) of at most `ACROSS` characters; longer words are cut as well."""
    start = end = 0
    for piece in re.finditer(rf"\S{{1,{ACROSS}}}\s*|\s+", text):
        if piece.end() - start > ACROSS and len(text[start : piece.end()].rstrip()) > ACROSS and end > start:
            yield start, end
            start = end
        end = piece.end()
    if end > start:
        yield start, end


def _pieces(item: Mapping[str, Any], start: int, end: int) -> Iterator[str]:
    """Write a line from word to word, each at the place of its box: letters are not as wide as one another in every font."""
    text = str(item["text"])[:MOST]
    end = start + len(text[start:end].rstrip())
    ends = {one for first, last, _ in item["words"] for one in (first, last)}
    cuts = [start, *sorted(one for one in ends if start < one < end), end]
    for first, last in itertools.pairwise(cuts):
        if first < last:
            place = f'x="{4 + (first - start) * WIDE}" textLength="{(last - first) * WIDE}"'
            yield f"<tspan {place} {PIECE}>{escape(text[first:last])}</tspan>"


def _boxes(item: Mapping[str, Any], lines: list[tuple[int, int]], largest: float, y: int) -> Iterator[str]:
    """Draw what lies behind the words, as dark as they add much."""
    for first, last, value in item["words"]:
        for line, (start, end) in enumerate(lines):
            left, right = max(first, start), min(last, end)
            if left < right:
                fill = (
                    f'fill="{RIGHT if value > 0 else WRONG}" fill-opacity="{0.6 * abs(value) / largest:.2f}"'
                )
                yield (
                    f'<rect x="{4 + (left - start) * WIDE}" y="{y + line * HIGH + 1}" width="{(right - left) * WIDE}" '
                    f'height="{HIGH - 2}" {fill}><title>{value:+.3f}</title></rect>'
                )
