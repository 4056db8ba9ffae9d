"""A confusion matrix and a gallery of images as SVG."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

from gradlab.report._theme import short
from gradlab.report.numbers import number, percent
from gradlab.types import UserError

RIGHT, WRONG = "#0b63a8", "#c2500a"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-size="11" font-family="sans-serif">'
)


def matrix(figure: dict[str, Any], *, themed: bool, **_: Any) -> str:
    """Draw a confusion matrix: rows true, columns predicted; shade of the diagonal = row share, of errors = count.

    Up to 20 classes each cell shows count and row per cent; beyond, the shade alone.
    """
    labels, counts = [str(v) for v in figure["labels"]], figure["counts"]
    check_counts(labels, counts)
    longest, detailed = max(map(len, labels)), len(labels) <= 20
    side = 46 if detailed else max(3, 640 // len(labels))
    left = 28 + min(130, 7 * longest) if detailed else 30
    top, size = 100 if detailed and longest > 6 else 34, side * len(labels)
    body = _cells(counts, left, top, side) + _names(labels, left, top, side) if detailed else []
    body = body or _shades(counts, left, top, side)
    body.append(f'<text x="{left}" y="12" class="axis">predicted →</text>')
    turned = f'transform="translate(11 {top + size / 2:g}) rotate(-90)" text-anchor="middle"'
    body.append(f'<text {turned} class="axis">true class</text>')
    svg = HEAD.format(w=left + size + 2, h=top + size + 2) + "".join(body) + "</svg>"
    return svg.replace(RIGHT, "var(--s0)").replace(WRONG, "var(--s1)") if themed else svg


def check_counts(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    """Refuse a matrix that is not square in the number of classes."""
    if not labels or len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        raise UserError(
            f"a matrix of {len(labels)} classes needs {len(labels) or 'some'} rows of as many counts."
        )


def _opacities(counts: Sequence[Sequence[int]]) -> list[list[float]]:
    """Shade of each cell: the diagonal by its share of the row, errors by their count over the largest error."""
    most = max((c for i, row in enumerate(counts) for j, c in enumerate(row) if i != j), default=0) or 1
    return [
        [0.03 + 0.5 * (c / (sum(row) or 1) if i == j else (c / most) ** 0.8) for j, c in enumerate(row)]
        for i, row in enumerate(counts)
    ]


def _cells(counts: Sequence[Sequence[int]], left: int, top: int, side: int) -> list[str]:
    """Draw every cell with count and row per cent."""
    opacities, body = _opacities(counts), []
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            x, y = left + j * side, top + i * side
            fill = f'fill="{RIGHT if i == j else WRONG}" fill-opacity="{opacities[i][j]:.2f}"'
            body.append(f'<rect x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" {fill}/>')
            body.append(_cell_text(x + side / 2, y, count, sum(row), right=i == j))
    return body


def _cell_text(middle: float, y: int, count: int, total: int, *, right: bool) -> str:
    if not count:
        return f'<text x="{middle:g}" y="{y + 26}" class="none" text-anchor="middle">·</text>'
    weight, faint = (' font-weight="600"', "") if right else ("", ' class="share"')
    return (
        f'<text x="{middle:g}" y="{y + 20}" text-anchor="middle"{weight}>{number(count)}</text>'
        f'<text x="{middle:g}" y="{y + 34}" text-anchor="middle"{faint} font-size="9">{percent(count / total)}</text>'
    )


def _shades(counts: Sequence[Sequence[int]], left: int, top: int, side: int) -> list[str]:
    """Draw many classes as shades alone: one path per shade, nothing where the count is 0."""
    paths: dict[tuple[str, str], list[str]] = {}
    for i, shades in enumerate(_opacities(counts)):
        for j, shade in enumerate(shades):
            if counts[i][j]:
                key = (RIGHT if i == j else WRONG, f"{0.1 + shade * 1.5:.1f}")
                paths.setdefault(key, []).append(
                    f"M{left + j * side} {top + i * side}h{side}v{side}h-{side}z"
                )
    return [f'<path fill="{fill}" fill-opacity="{o}" d="{"".join(d)}"/>' for (fill, o), d in paths.items()]


def _names(labels: Sequence[str], left: int, top: int, side: int) -> list[str]:
    tilt = max(map(len, labels)) > 6
    texts = []
    for i, label in enumerate(labels):
        name = escape(short(label, 18))
        middle = i * side + side / 2
        texts.append(f'<text x="{left - 6}" y="{top + middle + 4:g}" text-anchor="end">{name}</text>')
        turn = f'transform="translate({left + middle + 3:g} {top - 6}) rotate(-45)"' if tilt else (
            f'x="{left + middle:g}" y="{top - 6}" text-anchor="middle"'
        )  # fmt: skip
        texts.append(f"<text {turn}>{name}</text>")
    return texts


def confusions(figure: Mapping[str, Any], most: int = 5) -> list[tuple[str, str, int, float]]:
    """Return the most frequent confusions: true class, predicted class, count, share of the true class."""
    found = [
        (str(figure["labels"][i]), str(figure["labels"][j]), count, count / sum(row))
        for i, row in enumerate(figure["counts"])
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda c: -c[2])[:most]


def check_png(item: Mapping[str, Any]) -> str:
    """Return an item's PNG in base64, checked to be just that.

    Raises:
        UserError: it is not base64 of a PNG.
    """
    text = str(item.get("png", ""))
    try:
        start = base64.b64decode(text, validate=True)[:8]
    except (binascii.Error, ValueError):
        start = b""
    if start != b"\x89PNG\r\n\x1a\n":
        raise UserError("an image of a gallery must be a PNG in base64; encode the bytes of a PNG file.")
    return text


def breadth(items: Sequence[Mapping[str, Any]]) -> int:
    """Return how many times as wide as high a gallery's images are, a whole number, from the first PNG's header."""
    if not items:
        return 1
    width, height = struct.unpack(">II", base64.b64decode(check_png(items[0]))[16:24])
    return max(1, min(5, int(width / max(1, height) + 0.5)))


def item_words(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return a gallery item's line of text and its smaller second line."""
    sure = percent(item.get("confidence")) if item.get("confidence") is not None else ""
    first = str(item.get("label", "–"))
    first += f" → {item['prediction']}" if "prediction" in item else ""
    return first, " · ".join(t for t in (sure, str(item.get("note") or "")) if t)


def gallery(figure: dict[str, Any], **_: Any) -> str:
    """Draw images five in a row, wide ones fewer, below each "true → predicted" and the confidence."""
    items, side = figure.get("items") or [], 96
    across, width = 5 // breadth(items), side * breadth(items)
    step = width + 16
    body = []
    for i, item in enumerate(items):
        x, y = i % across * step + 8, i // across * 140 + 4
        first, second = (escape(t) for t in item_words(item))
        body.append(
            f'<image x="{x}" y="{y}" width="{width}" height="{side}" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{check_png(item)}"/><text x="{x}" y="{y + side + 14}">{first}</text>'
            f'<text x="{x}" y="{y + side + 27}" class="share" font-size="9">{second}</text>'
        )
    head = HEAD.format(w=across * step + 8, h=max(1, -(-len(items) // across)) * 140)
    return f"{head}{''.join(body)}</svg>"
