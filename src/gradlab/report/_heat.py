"""A heat map with its numbers in the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

from gradlab.report._pictures import HEAD, RIGHT
from gradlab.report._theme import short
from gradlab.report.numbers import interval, is_number, scaled
from gradlab.types import UserError

DETAILED = 16
"""Up to so many columns the numbers stand in the cells."""


def heat(figure: dict[str, Any], *, themed: bool, **_: Any) -> str:
    """Draw a heat map: one hue from the smallest value (pale) to the largest (strong), a dash where there is none."""
    check_heat(figure)
    columns, rows = [str(v) for v in figure["columns"]], [str(v) for v in figure["rows"]]
    detailed = len(columns) <= DETAILED
    wide, high = _cell_size(figure) if detailed else (max(12, 900 // len(columns)), 18)
    left = 18 + min(220, 7 * max(map(len, [*rows, _downwards(figure), _of_scale(figure)])))
    top = 30 + (min(100, 5 * max(map(len, columns))) if _tilted(columns, wide) else 16)
    body = _axis_names(figure, left) + _names(columns, rows, (left, top), (wide, high))
    shades = _shades(figure["values"])
    for i, row in enumerate(figure["values"]):
        for j, value in enumerate(row):
            x, y = left + j * wide, top + i * high
            text = cell_words(figure, i, j)
            body.append(
                f'<g><title>{escape(f"{rows[i]}, {columns[j]}: {text}")}</title><rect x="{x}" y="{y}" '
                f'width="{wide - 1}" height="{high - 1}" fill="{RIGHT}" fill-opacity="{shades[i][j]:.2f}"/>'
                f"{_cell_text(text, x + wide / 2, y + high / 2, known=is_number(value)) if detailed else ''}</g>"
            )
    foot = top + high * len(rows)
    body += _scale(figure, left, foot + 14)
    width = max(left + wide * len(columns) + 2, left + 250)
    svg = HEAD.format(w=width, h=foot + 34) + "".join(body) + "</svg>"
    return svg.replace(RIGHT, "var(--s0)") if themed else svg


def check_heat(figure: Mapping[str, Any]) -> None:
    """Refuse a heat map whose values do not fill its rows and columns."""
    rows, columns = figure.get("rows") or (), figure.get("columns") or ()
    grids = [figure.get("values") or ()] + [figure[key] for key in ("low", "high") if figure.get(key)]
    for grid in grids:
        if not rows or not columns or len(grid) != len(rows) or any(len(r) != len(columns) for r in grid):
            raise UserError(
                f"a heat map of {len(rows)} rows and {len(columns)} columns needs as many rows of as many values."
            )


def cell_words(figure: Mapping[str, Any], row: int, column: int) -> str:
    """Write a cell: value and interval, "95.2% [93.1, 97.0]"; without a value a dash."""
    low, high = (
        (figure[key][row][column] if figure.get(key) else None) for key in ("low", "high")
    )  # the bounds may be missing altogether
    value = figure["values"][row][column]
    digits = None if figure.get("percent") or is_number(low) else 2
    return interval(value, low, high, "percent" if figure.get("percent") else None, digits)


def _cell_size(figure: Mapping[str, Any]) -> tuple[int, int]:
    """Return width and height that hold the longest number and its interval below it."""
    texts = [cell_words(figure, i, j) for i, row in enumerate(figure["values"]) for j in range(len(row))]
    longest = max(len(part) for text in texts for part in text.split(" ", 1))
    below = any(" " in text for text in texts)
    return max(52, round(longest * 5.4) + 10), 40 if below else 28


def _shades(values: Sequence[Sequence[Any]]) -> list[list[float]]:
    """Return each cell's opacity, 0.04 to 0.54 from the smallest to the largest value; 0 where there is none."""
    known = [float(v) for row in values for v in row if is_number(v)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    span = high - low
    return [
        [0.0 if not is_number(v) else 0.04 + 0.5 * ((v - low) / span if span else 0.5) for v in row]
        for row in values
    ]


def _cell_text(text: str, x: float, y: float, *, known: bool) -> str:
    value, _, bounds = text.partition(" ")
    css = "" if known else ' class="none"'
    first = f'<text x="{x:g}" y="{y - 2 if bounds else y + 4:g}" text-anchor="middle"{css}>{value}</text>'
    second = (
        f'<text x="{x:g}" y="{y + 11:g}" text-anchor="middle" class="share" font-size="9">{bounds}</text>'
    )
    return first + (second if bounds else "")


def _tilted(columns: Sequence[str], wide: int) -> bool:
    return max(map(len, columns)) * 6.3 > wide


def _axis_names(figure: Mapping[str, Any], left: int) -> list[str]:
    label = (figure.get("x") or {}).get("label")
    across = f"{escape(short(label, 40))} →" if label else ""
    return [
        f'<text x="{left - 8}" y="12" class="axis" text-anchor="end">{escape(_downwards(figure))}</text>',
        f'<text x="{left}" y="12" class="axis">{across}</text>',
    ]


def _downwards(figure: Mapping[str, Any]) -> str:
    """Return what the rows are, which stands above them."""
    label = (figure.get("y") or {}).get("label")
    return f"{short(label, 20)} ↓" if label else ""


def _of_scale(figure: Mapping[str, Any]) -> str:
    """Return what the shades are, which stands before their scale."""
    return short(figure.get("value_label") or "", 30)


def _names(
    columns: Sequence[str], rows: Sequence[str], corner: tuple[int, int], cell: tuple[int, int]
) -> list[str]:
    (left, top), (wide, high) = corner, cell
    texts = [
        f'<text x="{left - 8}" y="{top + (i + 0.5) * high + 4:g}" text-anchor="end">{escape(short(name, 32))}</text>'
        for i, name in enumerate(rows)
    ]
    tilt = _tilted(columns, wide)
    for j, name in enumerate(columns):
        middle = left + (j + 0.5) * wide
        turn = f'transform="translate({middle:g} {top - 6}) rotate(-35)"' if tilt else (
            f'x="{middle:g}" y="{top - 6}" text-anchor="middle"'
        )  # fmt: skip
        texts.append(f"<text {turn}>{escape(short(name, 24))}</text>")
    return texts


def _scale(figure: Mapping[str, Any], left: int, top: int) -> list[str]:
    """Draw the scale of shades with its ends."""
    known = [float(v) for row in figure["values"] for v in row if is_number(v)]
    if not known or min(known) == max(known):
        return []
    scale = "percent" if figure.get("percent") else None
    low, high = (scaled(v, scale, 1 if scale else 2) for v in (min(known), max(known)))
    body = [
        f'<text x="{left - 8}" y="{top + 9}" class="axis" text-anchor="end">{escape(_of_scale(figure))}</text>'
    ]
    body.append(f'<text x="{left}" y="{top + 9}" class="axis">{low}</text>')
    start = left + 10 + 6 * len(low)
    body += [
        f'<rect x="{start + 14 * step}" y="{top}" width="14" height="10" fill="{RIGHT}" '
        f'fill-opacity="{0.04 + 0.5 * step / 7:.2f}"/>'
        for step in range(8)
    ]
    body.append(f'<text x="{start + 14 * 8 + 6}" y="{top + 9}" class="axis">{high}</text>')
    return body
