"""`gradlab diff A B`: two reports side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclopts import App

from gradlab.cli._tables import Flag, print_json, print_table, say
from gradlab.lab.judging.diff import ClaimPair, diff_results
from gradlab.lab.judging.verify import read_results, result_folders
from gradlab.report.levels import as_read, told
from gradlab.types import UserError

app = App(
    name="diff",
    help_epilogue="Example: gradlab diff runs/reports/tour-digits-quick runs/reports/tour-digits-quick-seeds-3",
    help_format="plaintext",
)


@app.default
def diff(a: Path, b: Path, /, *, json: Flag = False) -> int:
    """Compare two reports: what differs in the settings, and which claims came out differently.

    Args:
        a: a report, or its folder.
        b: the other one.
        json: print the comparison as JSON.
    """
    both = _one(a), _one(b)
    found = diff_results(*both)
    if json:
        print_json(found.as_record())
        return 0
    say(f"A  {a}\nB  {b}\n")
    if found.asked:
        print_table(("asked", "A", "B"), [(name, *pair) for name, pair in found.asked.items()])
    else:
        say("Both were asked the same.")
    say()
    shown = [{claim["id"]: claim for claim in as_read(one)} for one in both]
    print_table(("claim", "A", "", "B", "", ""), [_row(pair, *shown) for pair in found.claims])
    say(f"\n{found.shared} runs are the same records.")
    return 0


def _one(path: Path) -> dict[str, Any]:
    folders = result_folders(path)
    if len(folders) > 1:
        raise UserError(f"{path} holds {len(folders)} reports; name one of them, such as {folders[0]}.")
    return read_results(folders[0])


def _row(pair: ClaimPair, *shown: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    said = "another verdict" if pair.moved else ""
    said += (", " if said else "") + "the intervals do not overlap" if pair.apart else ""
    cells = [
        (claim["verdict"], told(claim)) if (claim := claims.get(pair.id)) else ("not asked", "")
        for claims in shown
    ]
    return (pair.id, *(text for cell in cells for text in cell), said)
