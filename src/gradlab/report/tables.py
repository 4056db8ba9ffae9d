"""Tables: the kinds of cell, and a table as CSV and as LaTeX."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gradlab._plain import plain_cell
from gradlab.report.numbers import MISSING, interval, interval_digits, is_number, number, percent, scaled
from gradlab.types import UserError, did_you_mean

Table = dict[str, Any]
Column = dict[str, Any]


def _text(values: Sequence[Any], _column: Column) -> str:
    value = values[0]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return MISSING if value is None or value == "" else str(value)


def _int(values: Sequence[Any], _column: Column) -> str:
    return number(round(values[0]) if is_number(values[0]) else values[0])


def _number(values: Sequence[Any], column: Column) -> str:
    return scaled(values[0], column.get("scale"), column.get("digits"))


def _percent(values: Sequence[Any], column: Column) -> str:
    return percent(values[0], column.get("digits", 1))


def _interval(values: Sequence[Any], column: Column) -> str:
    return interval(values[0], values[1], values[2], column.get("scale"), column.get("digits"))


def _points(values: Sequence[Any], column: Column) -> str:
    factor, digits = (100, 1) if column.get("scale") == "percent" else (1, None)
    digits = column.get("digits", digits)
    known = [number(v * factor if is_number(v) else v, digits) for v in values[0] or ()]
    return " ".join(known) if known else MISSING


def _ratio(values: Sequence[Any], _column: Column) -> str:
    return MISSING if values[0] is None else f"{number(values[0])} of {number(values[1])}"


CELLS: dict[str, tuple[int, Callable[[Sequence[Any], Column], str]]] = {
    "text": (1, _text),
    "int": (1, _int),
    "number": (1, _number),
    "percent": (1, _percent),
    "interval": (3, _interval),
    "points": (1, _points),
    "ratio": (2, _ratio),
}
"""Kind of cell -> (how many columns it reads, how it is written)."""


def display_of(table: Table) -> list[Column]:
    """Return what a table shows, one precision a column; without a display every column as it is.

    Raises:
        UserError: unknown kind, column or scale, or the wrong number of columns.
    """
    columns = table.get("display") or [
        {"header": name, "kind": _guess(table, i), "columns": [name]}
        for i, name in enumerate(table["columns"])
    ]
    for column in columns:
        _check(column, table["columns"])
    return [_with_digits(table, column) for column in columns]


def _with_digits(table: Table, column: Column) -> Column:
    """Give a column without "digits" the decimals that suit most of its rows, so that it can be read down."""
    if column.get("digits") is not None or column["kind"] not in ("interval", "number"):
        return column
    rows = [values_of(table, row, column) for row in table["rows"]]
    if column["kind"] == "interval":
        found = [interval_digits(low, high, column.get("scale")) for _, low, high in rows]
        known = [digits for digits in found if digits is not None]
        digits = statistics.median_low(known) if known else None
    else:
        digits = _decimals([row[0] for row in rows]) if column.get("scale") is None else None
    return column if digits is None else {**column, "digits": digits}


def _decimals(values: Sequence[Any]) -> int | None:
    """Decimals that show the largest number with four digits, fewer if none needs them; None over many decades."""
    sizes = [abs(v) for v in values if is_number(v) and v]
    if not sizes or max(sizes) / min(sizes) >= 1e4:
        return None
    needed = max(len(f"{v:.4g}".partition(".")[2]) for v in sizes)
    return min(needed, max(0, 3 - math.floor(math.log10(max(sizes)))))


def _guess(table: Table, index: int) -> str:
    """Return the kind of a column without a display: points, number or text."""
    known = [row[index] for row in table["rows"] if row[index] is not None]
    if known and all(isinstance(value, list) for value in known):
        return "points"
    return "number" if known and all(is_number(value) for value in known) else "text"


def _check(column: Column, names: Sequence[str]) -> None:
    kind, wanted = column.get("kind"), column.get("columns") or []
    if kind not in CELLS:
        raise UserError(f"no kind of table cell is called '{kind}': {did_you_mean(str(kind), list(CELLS))}")
    if len(wanted) != CELLS[kind][0]:
        raise UserError(
            f"a cell of kind '{kind}' reads {CELLS[kind][0]} column(s), got {len(wanted)}: {wanted}."
        )
    for name in wanted:
        if name not in names:
            raise UserError(f"the table has no column '{name}': {did_you_mean(str(name), list(names))}")
    if column.get("scale") not in (None, "percent", "decades"):
        raise UserError(
            f"no scale is called '{column['scale']}'; write 'percent' or 'decades', or leave it out."
        )


def values_of(table: Table, row: Sequence[Any], column: Column) -> list[Any]:
    """Return the raw values that one cell reads."""
    return [row[table["columns"].index(name)] for name in column["columns"]]


def cell_text(column: Column, values: Sequence[Any]) -> str:
    """Write one cell as plain text."""
    return CELLS[column["kind"]][1](values, column)


def texts(table: Table) -> Iterator[list[str]]:
    """Yield each row as the texts of its cells, in the order of `display_of`."""
    columns = display_of(table)
    for row in table["rows"]:
        yield [cell_text(column, values_of(table, row, column)) for column in columns]


def table_csv(table: Table) -> str:
    """Write the raw columns as CSV: full precision, null empty, a list of numbers as JSON.

    A text that a spreadsheet would run as a formula (it begins with = + - @) gets an apostrophe before it.

    >>> print(table_csv({"columns": ["arm", "values"], "rows": [["a, b", [0.5, None]]]}), end="")
    arm,values
    "a, b","[0.5, null]"
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_raw(name) for name in table["columns"]])
    writer.writerows([["" if v is None else _raw(v) for v in row] for row in table["rows"]])
    return stream.getvalue()


def _raw(value: Any) -> Any:
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")  # the csv module would not quote a lone \r
        return plain_cell(text)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "–": "--", "×": r"$\times$", "→": r"$\rightarrow$", "δ": r"$\delta$",
    "−": "$-$", "±": r"$\pm$", "\n": " ",
}  # fmt: skip


def latex_text(text: str) -> str:
    r"""Escape a text for LaTeX.

    >>> print(latex_text("a_b 5% \\x"))
    a\_b 5\% \textbackslash{}x
    """
    return "".join(_LATEX.get(c, c) for c in text)


def latex_number(text: str) -> str:
    """Escape a number's text for LaTeX, with a true minus sign and raised powers."""
    raised = re.sub(r"10\\textasciicircum\{\}(-?\d+(?:\.\d+)?)", r"$10^{\1}$", latex_text(text))
    return re.sub(r"(?<![\w.{^-])-(?=\d)", "$-$", raised)


def table_latex(table: Table, name: str | None = None) -> str:
    """Write a table as a LaTeX float (package booktabs); columns of single points are left to the CSV.

    Args:
        table: as in results.json.
        name: makes the label `tab:NAME`.
    """
    columns = display_of(table)
    keep = [i for i, column in enumerate(columns) if column["kind"] != "points"]
    align = "".join("l" if columns[i]["kind"] == "text" else "r" for i in keep)
    head = " & ".join(latex_text(columns[i]["header"]) for i in keep)
    write = [latex_text if columns[i]["kind"] == "text" else latex_number for i in keep]
    body = [" & ".join(w(row[i]) for w, i in zip(write, keep, strict=True)) + r" \\" for row in texts(table)]
    caption = latex_text(". ".join(t.rstrip(".") for t in (table.get("title"), table.get("caption")) if t))
    label = [rf"  \label{{tab:{re.sub(r'[^A-Za-z0-9:-]+', '-', name)}}}"] if name else []
    lines = [r"\begin{table}", r"  \centering", rf"  \caption{{{caption}.}}" if caption else "", *label]
    lines += [rf"  \begin{{tabular}}{{{align}}}", r"    \toprule", rf"    {head} \\", r"    \midrule"]
    lines += [f"    {line}" for line in body]
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""]
    return "\n".join(line for line in lines if line or line is lines[-1])
