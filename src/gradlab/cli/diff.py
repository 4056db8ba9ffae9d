"""`gradlab diff A B`: two reports side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclopts import App

from gradlab.cli._tables import Flag, print_json, print_table, say
from gradlab.lab.judging.diff import ClaimPair, diff_results
from gradlab.lab.judging.verify import read_results, result_folders
from gradlab.report.numbers import in_unit, minus
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
    found = diff_results(_one(a), _one(b))
    if json:
        print_json(found.as_record())
        return 0
    say(f"A  {a}\nB  {b}\n")
    if found.asked:
        print_table(("asked", "A", "B"), [(name, *pair) for name, pair in found.asked.items()])
    else:
        say("Both were asked the same.")
    say()
    print_table(("claim", "A", "", "B", "", ""), [_row(pair) for pair in found.claims])
    say(f"\n{found.shared} runs are the same records.")
    return 0


def _one(path: Path) -> dict[str, Any]:
    folders = result_folders(path)
    if len(folders) > 1:
        raise UserError(f"{path} holds {len(folders)} reports; name one of them, such as {folders[0]}.")
    return read_results(folders[0])


def _row(pair: ClaimPair) -> tuple[str, ...]:
    said = "another verdict" if pair.moved else ""
    said += (", " if said else "") + "the intervals do not overlap" if pair.apart else ""
    return (pair.id, *_told(pair.a), *_told(pair.b), said)


def _told(claim: dict[str, Any] | None) -> tuple[str, str]:
    if claim is None:
        return "not asked", ""
    shown = in_unit(claim)
    return claim["verdict"], minus(shown.both)
