"""Tables and numbers that several verbs print."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def print_json(value: Any) -> None:
    """Print plain data for machines."""
    sys.stdout.write(json_module.dumps(value, indent=1, ensure_ascii=False) + "\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a head; numbers with four digits."""
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(shown(value)) for value in row))
    Console().print(table, highlight=False)


def say(text: str = "") -> None:
    """Print a line as it is, however long."""
    Console(soft_wrap=True).print(text, highlight=False, markup=False)


def shown(value: Any) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}"
    if isinstance(value, list | tuple):
        return " ".join(map(shown, value))
    return "–" if value is None else str(value)


def megabytes(size: int) -> str:
    """Say a number of bytes."""
    return f"{size / 2**20:.1f} MB" if size >= 2**17 else f"{size / 2**10:.1f} kB"
