"""`gradlab.verify`: every number of a report and of its page, recomputed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from gradlab.lab.designing.procedure import Kinds
from gradlab.lab.judging.verify import (
    Verification,
    changed_files,
    read_results,
    result_folders,
    verify_results,
)
from gradlab.lab.kinds import Kind
from gradlab.procedures.toolbox import toolbox_with
from gradlab.report import render_html, render_markdown
from gradlab.report.writing import table_files

SHOWN = 6


def verify(path: str | Path, *, procedures: Sequence[Kind] = ()) -> list[Verification]:
    """Recompute the results at `path` from what was written for single samples and epochs up.

    Checks that every record and file is what was written, that every claim, table and figure follows from the
    records, and that the pages say what results.json says; needs neither data nor the study nor torch.

    Args:
        path: a report, its folder, an --out folder, or a folder of committed results.
        procedures: kinds of your own that the results use.
    """
    kinds = toolbox_with(procedures).kinds
    return [_verify_one(folder, kinds) for folder in result_folders(Path(path))]


def _verify_one(folder: Path, kinds: Kinds) -> Verification:
    unknown = _unknown_kinds(read_results(folder), kinds)
    if unknown:
        told = f"results rest on runs of kind '{unknown[0]}', which gradlab does not know; verify them in Python with its Kind: "
        return Verification(folder, 0, 0, (f"{told}gradlab.verify(path, procedures=[...])",))
    _, differences, numbers, runs = verify_results(folder, kinds)
    differences += _changed_pages(folder)
    return Verification(folder, numbers, runs, tuple(differences))


def _unknown_kinds(results: Mapping[str, Any], kinds: Kinds) -> list[str]:
    """Name the kinds of runs that are not known here; what is damaged otherwise is named later."""
    runs = [*_list(results.get("arms")), *_list(results.get("rests_on"))]
    named = [one["kind"] for one in runs if isinstance(one, dict) and isinstance(one.get("kind"), str)]
    return [kind for kind in dict.fromkeys(named) if kind not in (*kinds, "pick")]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _changed_pages(folder: Path) -> list[str]:
    """Name the lines of the pages, and the files, that are not what results.json gives.

    Of the page the visible text is compared; its look and its drawings by the checksums in manifest.json alone,
    since another version of a style sheet or of matplotlib says the same with other bytes.
    """
    results = read_results(folder)
    found = []
    for name, render, lines in (
        ("report.md", render_markdown, _lines),
        ("report.html", render_html, _visible_lines),
    ):
        page = folder / name
        if page.exists():
            try:
                expected = lines(render(results))
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                found.append(f"{name} cannot be drawn from results.json ({type(error).__name__}: {error})")
                continue
            found += _changed_lines(name, expected, lines(page.read_text(encoding="utf-8", errors="replace")))
    for name, text in table_files(results).items():
        if (folder / name).exists():
            found += _changed_lines(
                name, _lines(text), _lines((folder / name).read_text(encoding="utf-8", errors="replace"))
            )
    changed = changed_files(folder)
    return found + [name if " is " in name else f"{name} is not what was written" for name in changed]


class _VisibleText(HTMLParser):
    """Collects what a reader of a page reads."""

    HIDDEN = ("style", "script", "svg")
    SPOKEN = ("alt", "title", "aria-label")

    def __init__(self) -> None:
        super().__init__()
        self.hidden: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += [value for name, value in attrs if value and name in self.SPOKEN]
        if tag in self.HIDDEN:
            self.hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and self.hidden[-1] == tag:
            self.hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text.append(data)


def _visible_lines(page: str) -> list[str]:
    reader = _VisibleText()
    reader.feed(page)
    reader.close()
    return _lines("\n".join(reader.text))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


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
