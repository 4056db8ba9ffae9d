"""`gradlab report PATH`: draw a report again from its records, or write the small form that is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from gradlab._plain import printable

app = App(
    name="report",
    help_epilogue="Example: gradlab report runs --small results/residual-mlp-digits-quick",
    help_format="plaintext",
)


@app.default
def report(
    path: Path,
    /,
    *,
    small: Path | None = None,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Write reports again from their records, without training.

    Args:
        path: a report, its folder, or an --out folder.
        small: also write the one report there and its runs in small form (predictions, logs, no weights) into this folder.
        json: print the results as JSON.
    """
    import sys

    from gradlab.reporting import redraw, write_small_form

    folders = redraw(path)
    console = Console(soft_wrap=True, quiet=json)
    for folder in folders:
        console.print(printable(f"Report: {folder / 'report.html'}"), highlight=False, markup=False)
        if json:
            sys.stdout.write((folder / "results.json").read_text(encoding="utf-8"))
    if small is not None:
        size = write_small_form(folders, small)
        console.print(
            printable(f"Small form: {small} ({size / 2**20:.2f} MB)"), highlight=False, markup=False
        )
    return 0
