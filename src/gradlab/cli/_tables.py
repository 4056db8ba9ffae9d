"""Tables and numbers that several verbs print."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gradlab._plain import CONTROL, printable
from gradlab.report.numbers import minus

NARROW, NARROWEST, WIDEST = 24, 10, 10_000
"""Characters at the least of a column of sentences and of one of a few words, and of a table at the most."""
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def print_json(value: Any) -> None:
    """Print plain data for machines."""
    text = json_module.dumps(value, indent=1, ensure_ascii=False)
    sys.stdout.write(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, wraps: Sequence[str] = ()) -> None:
    """Print rows under a head; numbers with four digits. No cell is cut, however narrow the terminal."""
    cells = [[escape(printable(shown(value))) for value in row] for row in rows]
    print_whole(whole_table(head, cells, wraps=wraps, narrowest=NARROWEST), Console())


def whole_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, wraps: Sequence[str] = (), narrowest: int = NARROW
) -> Table:
    """Return a table of marked-up cells, in which no column but those that wrap is narrower than its widest cell."""
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(head):
        widest = max(
            cell_len(line)
            for cell in (name, *(row[number] for row in rows))
            for line in Text.from_markup(cell).plain.split("\n")
        )
        is_fixed = name not in wraps
        table.add_column(name, no_wrap=is_fixed, min_width=widest if is_fixed else min(widest, narrowest))
    for row in rows:
        table.add_row(*row)
    return table


def _needed(table: Table, console: Console) -> int:
    return table.__rich_measure__(console, console.options.update(width=WIDEST)).minimum


def fits(table: Table, console: Console) -> bool:
    """Whether a table is no wider than the terminal."""
    return _needed(table, console) <= console.width


def print_whole(table: Table, console: Console) -> None:
    """Print a table at least as wide as its columns need to be; a narrower terminal breaks the lines."""
    before = console.width
    console.width = max(before, _needed(table, console))
    console.print(table, highlight=False)
    console.width = before


def say(text: str = "") -> None:
    """Print a line as it is, however long."""
    Console(soft_wrap=True).print(printable(text), highlight=False, markup=False)


def shown(value: Any) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return minus(f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}")
    if isinstance(value, list | tuple):
        return " ".join(map(shown, value))
    return "–" if value is None else str(value)


def counted(number: int, word: str) -> str:
    """Say how many, such as "1 seed" or "6 seeds"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def megabytes(size: int) -> str:
    """Say a number of bytes."""
    return f"{size / 2**20:.1f} MB" if size >= 2**17 else f"{size / 2**10:.1f} kB"
