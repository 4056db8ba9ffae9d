"""`gradlab.verify`: every number of a report and of its page, recomputed."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from gradlab.lab.verify import Verification, changed_files, read_results, result_folders, verify_results
from gradlab.report import render_html, render_markdown

SHOWN = 6


def verify(path: str | Path) -> list[Verification]:
    """Recompute the results at `path` from per-sample predictions and per-epoch logs up.

    Checks that every record and file is what was written, that every claim, table and figure follows from the
    records, and that the pages say what results.json says; needs neither data nor the study nor torch.

    Args:
        path: a report, its folder, an --out folder, or a folder of committed results.
    """
    return [_verify_one(folder) for folder in result_folders(Path(path))]


def _verify_one(folder: Path) -> Verification:
    _, differences, numbers, runs = verify_results(folder)
    differences += _changed_pages(folder)
    return Verification(folder, numbers, runs, tuple(differences))


def _changed_pages(folder: Path) -> list[str]:
    """Name the lines of the pages, and the files, that are not what results.json gives.

    Drawings are compared by the checksums in manifest.json alone: another version of matplotlib draws other paths.
    """
    results = read_results(folder)
    found = []
    for name, render in (("report.md", render_markdown), ("report.html", render_html)):
        page = folder / name
        if page.exists():
            found += _changed_lines(name, _lines(render(results)), _lines(page.read_text(errors="replace")))
    changed = changed_files(folder)
    return found + [name if " is " in name else f"{name} is not what was written" for name in changed]


def _lines(text: str) -> list[str]:
    return [
        line.strip()
        for line in re.sub(r"<svg\b.*?</svg>", "", text, flags=re.DOTALL).splitlines()
        if line.strip()
    ]


def _changed_lines(name: str, expected: list[str], actual: list[str]) -> list[str]:
    found = []
    for line in difflib.unified_diff(expected, actual, lineterm="", n=0):
        if line.startswith("+") and not line.startswith("+++"):
            found.append(f"{name} says “{line[1:161]}”, which is not what results.json gives")
        elif line.startswith("-") and not line.startswith("---"):
            found.append(f"{name} lacks “{line[1:161]}”")
    return found[:SHOWN] + (
        [f"{name} differs in {len(found) - SHOWN} more lines"] if len(found) > SHOWN else []
    )
