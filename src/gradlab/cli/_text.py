"""Results as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from gradlab.result import Result

MARKS = {"supported": "✓", "refuted": "✗", "equivalent": "=", "inconclusive": "?"}
STYLES = {"supported": "green", "refuted": "red", "equivalent": "cyan", "inconclusive": "yellow"}


def duration(seconds: float) -> str:
    """Say a time, such as "45 s" or "12 min"."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def print_result(result: Result, console: Console) -> None:
    """Print question, answer, claims and the path of the report."""
    results = result.results
    question, answer = escape(results["question"]), escape(results["answer"])
    console.print(f"\n[bold]{question}[/bold]  {answer}", highlight=False)
    console.print(
        f"{escape(results['data'])}, preset {results['preset']}, {_setting(results)}, "
        f"{len(results['seeds'])} seeds, look {results['look']}\n",
        highlight=False,
    )
    table = Table("claim", "verdict", "estimate and interval", "statement", box=None, pad_edge=False)
    for claim in results["claims"]:
        verdict = claim["verdict"]
        table.add_row(
            escape(claim["id"]),
            f"[{STYLES[verdict]}]{MARKS[verdict]} {verdict}[/]",
            escape(_interval(claim)),
            escape(claim["statement"]),
        )
    console.print(table)
    console.print(f"\nReport: {result.report}", highlight=False, soft_wrap=True, markup=False)


def _setting(results: dict[str, Any]) -> str:
    """Name the setting, and say whether it is that of the publications, where there are any."""
    named = f"setting {results['setting']}"
    if not any(claim["published"] for claim in results["claims"]):
        return named
    return named + (" (as published)" if results["same_setting"] else " (other setting than published)")


def _interval(claim: dict[str, Any]) -> str:
    from gradlab.report.numbers import in_unit

    shown = in_unit(claim)
    return f"{shown.estimate} {shown.interval}"
