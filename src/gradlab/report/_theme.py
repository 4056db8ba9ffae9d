"""Colours and strokes of figures: fixed for a file of its own, CSS variables inside the page."""

from __future__ import annotations

import re
from typing import NamedTuple

INK, MUTED, GRID, ZONE = "#1c2430", "#5b6675", "#dfe3e8", "#e4e9f0"
TONES = {"supported": "#055d86", "refuted": "#a8400c", "open": "#6b6348"}
PALETTE = ("#0b63a8", "#c2500a", "#0a7d5a", "#a3417f", "#5d2205", "#780ce4", "#060674", "#290a1a")
"""Eight colours that stay apart for colour-blind eyes, each at least 4.5:1 on white; a test simulates both."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
DASHES: tuple[tuple[float, tuple[float, ...]] | str, ...] = (
    "solid",
    (0, (5, 2)),
    (0, (1.6, 1.4)),
    (0, (6, 1.8, 1.4, 1.8)),
)
SHAPES = {
    "o": '<circle cx="17" cy="6" r="3.2"/>', "s": '<path d="M14 3h6v6h-6z"/>', "^": '<path d="m17 2 3.6 7h-7.2z"/>',
    "D": '<path d="m17 1.8 4.2 4.2-4.2 4.2L12.8 6z"/>', "v": '<path d="m17 10 3.6-7h-7.2z"/>',
    "P": '<path d="M15.6 2.4h2.8v2.2h2.2v2.8h-2.2v2.2h-2.8V7.4h-2.2V4.6h2.2z"/>',
    "X": '<path d="m14.4 3.4 5.2 5.2m0-5.2-5.2 5.2" fill="none" stroke="currentColor" stroke-width="2"/>',
    "<": '<path d="m13 6 7-3.6v7.2z"/>',
}  # fmt: skip


class Style(NamedTuple):
    """How one series looks."""

    color: str
    marker: str
    dash: tuple[float, tuple[float, ...]] | str
    number: int


def style(number: int) -> Style:
    """Return colour, marker and dash of the n-th series; 32 in a row are all different."""
    turn = number // len(PALETTE)
    return Style(
        PALETTE[number % len(PALETTE)],
        MARKERS[(number + turn) % len(MARKERS)],
        DASHES[(number + turn) % len(DASHES)],
        number % len(PALETTE),
    )


def swatch(number: int, kind: str = "lines") -> str:
    """Draw the legend's sample of a series as a small SVG in the page's colours, as the kind of figure shows it."""
    look = style(number)
    if kind in ("bars", "histogram"):
        return _sample(look, '<path d="M4 1h26v10H4z" fill="currentColor" opacity=".75"/>')
    marker = f'<g fill="currentColor">{SHAPES[look.marker]}</g>'
    if kind == "points":
        return _sample(look, marker)
    dash = "" if isinstance(look.dash, str) else ",".join(f"{d * 1.6:g}" for d in look.dash[1])
    stroke = f' stroke-dasharray="{dash}"' if dash else ""
    return _sample(look, f'<path d="M0 6h34" stroke="currentColor" stroke-width="2"{stroke}/>{marker}')


def _sample(look: Style, body: str) -> str:
    return (
        '<svg class="swatch" viewBox="0 0 34 12" width="34" height="12" aria-hidden="true" '
        f'style="color:var(--s{look.number})">{body}</svg>'
    )


def to_variables(svg: str) -> str:
    """Replace the fixed colours in style attributes by the page's CSS variables."""
    names = {c: f"--s{i}" for i, c in enumerate(PALETTE)}
    names |= dict(zip(TONES.values(), ("--good", "--bad", "--open"), strict=True))
    names |= {INK: "--ink", MUTED: "--muted", GRID: "--line", ZONE: "--zone"}
    for color, name in names.items():
        svg = svg.replace(color, f"var({name})")
    return svg


def slim(svg: str, prefix: str) -> str:
    """Drop what a browser does not need from matplotlib's SVG, round coordinates, make ids unique by prefix."""
    svg = svg[svg.index("<svg") :].replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "", 1)
    svg = svg.replace("<svg ", '<svg font-family="sans-serif" ', 1)
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    used = set(re.findall(r"(?:href=\"#|url\(#)([\w-]+)", svg))
    svg = re.sub(r"<[^>]+>", lambda tag: _slim_tag(tag[0], prefix, used), svg)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")
    svg = re.sub(r"<defs></defs>|<g></g>", "", svg)
    return re.sub(r"<g>((?:<use[^>]*/>)+)</g>", r"\1", svg)


def short(text: object, most: int) -> str:
    """Cut a text that would leave no room for the drawing."""
    words = " ".join(str(text).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _slim_tag(tag: str, prefix: str, used: set[str]) -> str:
    """Shorten one tag; what stands between tags is a person's text and stays as it is."""
    tag = re.sub(r"font: [^;\"]*?([\d.]+px)[^;\"]*", r"font-size: \1", tag)
    tag = re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), tag)
    tag = re.sub(r' id="series-(\d+)"', r' data-s="\1"', tag)
    tag = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", tag)
    tag = re.sub(r'(?:xlink:)?href="#', f'href="#{prefix}', tag).replace("url(#", f"url(#{prefix}")
    return re.sub(r"\s+", " ", tag).replace(": ", ":").replace("; ", ";").replace(" />", "/>")
