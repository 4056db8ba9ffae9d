"""Results as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from gradlab._plain import printable
from gradlab.cli._tables import counted, fits, print_whole, whole_table
from gradlab.lab.designing.design import OWN

if TYPE_CHECKING:
    from gradlab.result import Result

MARKS = {"supported": "✓", "refuted": "✗", "open": "?"}
STYLES = {"supported": "green", "refuted": "red", "open": "yellow"}


def duration(seconds: float) -> str:
    """Say a time, such as "0.4 s", "45 s" or "12 min"."""
    if seconds < 9.5:
        return "0 s" if seconds == 0 else f"{max(seconds, 0.1):.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def print_result(result: Result, console: Console) -> None:
    """Print question, answer, claims and the path of the report."""
    from gradlab.report.levels import as_read, told

    results = result.results
    question, answer = _safe(results["question"]), _safe(results["answer"])
    console.print(f"\n[bold]{question}[/bold]  {answer}", highlight=False)
    console.print(
        f"{_safe(results['data'])}, preset {results['preset']}, {_setting(results)}"
        f"{counted(len(results['seeds']), 'seed')}, look {results['look']}\n",
        highlight=False,
    )
    rows = [
        (
            _safe(claim["id"]),
            f"[{STYLES[claim['verdict']]}]{MARKS[claim['verdict']]} {claim['verdict']}[/]",
            "\n".join(_safe(line) for line in told(claim).replace(", asked:", "\nasked:").split("\n")),
            _safe(claim["statement"]),
        )
        for claim in as_read(results)
    ]
    head = ("claim", "verdict", "estimate and interval", "statement")
    table = whole_table(head, rows, wraps=("statement",))
    if fits(table, console):
        print_whole(table, console)
    else:  # a claim a paragraph
        for *numbers, statement in rows:
            console.print("  ".join(numbers).replace("\n", ", "), highlight=False)
            console.print(Padding(statement, (0, 0, 0, 2)), highlight=False)
    console.print(f"\nReport: {printable(str(result.report))}", highlight=False, soft_wrap=True, markup=False)


def _safe(text: str) -> str:
    """Text that a table shows as it is, whatever it holds."""
    return escape(printable(text))


def _setting(results: dict[str, Any]) -> str:
    """Name the setting, and say whether it is that of the publications, where there are any."""
    if results["setting"] == OWN:
        return ""
    named = f"setting {results['setting']}, "
    if not any(claim["published"] for claim in results["claims"]):
        return named
    told = "as published" if results["same_setting"] else "other setting than published"
    return f"setting {results['setting']} ({told}), "
