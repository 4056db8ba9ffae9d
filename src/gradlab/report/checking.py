"""Whether the pages of a report say and show what its results give, and can neither run nor load anything else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from gradlab.report.markdown import render_markdown
from gradlab.report.page import drawn_with, generator, render_html
from gradlab.report.writing import text_files

SHOWN = 6
LARGEST = 64 * 2**20
"""Bytes of the largest page that is read."""
DRAWING = re.compile(
    r"^(d|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|width|height|points|transform|viewbox|clip-path|id|href|xlink:href)$"
)
"""Attributes inside a drawing that another version of the drawing library may write otherwise."""


def changed_pages(folder: Path, results: dict[str, Any]) -> list[str]:
    """Name what of the pages in `folder` is not what `results` give.

    Every file is drawn again. Where the same versions drew it, as the page says, it must be the same byte for byte; else
    tags, attributes and texts are compared, those of drawings without their coordinates.
    """
    found: list[str] = []
    same = _is_drawn_here(folder / "report.html")
    pages: dict[str, Callable[[dict[str, Any]], str]] = {
        "report.html": render_html,
        "report.md": render_markdown,
    }
    for name, render in pages.items():
        if (folder / name).exists():
            try:
                expected = render(results)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                found.append(f"{name} cannot be drawn from results.json ({type(error).__name__}: {error})")
                continue
            found += _changed(name, expected, folder / name, same=same)
    for name, text in text_files(results).items():
        if (folder / name).exists():
            found += _changed(name, text, folder / name, same=same)
    return found


def _is_drawn_here(page: Path) -> bool:
    """Whether the versions that draw here drew the report, so that its drawings must be the same; yes where no page tells."""
    if not page.is_file() or page.stat().st_size > LARGEST:
        return True
    return drawn_with(_text(page)) == generator()


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _changed(name: str, expected: str, path: Path, *, same: bool) -> list[str]:
    if not path.is_file() or path.stat().st_size > LARGEST:
        return [f"{name} is no page of a report"]
    actual = _text(path)
    if actual == expected:
        return []
    if not name.endswith((".html", ".svg")):
        return _lines_that_differ(name, expected.splitlines(), actual.splitlines())
    found = _lines_that_differ(name, skeleton(expected), skeleton(actual))
    return found or ([f"{name} has a drawing that is not what results.json gives"] if same else [])


class _Skeleton(HTMLParser):
    """Tags with their attributes, and texts, one a line; of drawings no coordinates."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.drawings += tag == "svg"
        kept = [
            f'{name}="{value}"'
            for name, value in sorted(attrs, key=lambda pair: pair[0])
            if not (self.drawings and DRAWING.match(name) and _is_harmless(name, value))
        ]
        if not (self.drawings and tag in ("path", "use", "g", "defs", "clippath", "rect") and not kept):
            self.lines.append(f"<{' '.join([tag, *kept])}>")

    def handle_endtag(self, tag: str) -> None:
        self.drawings -= tag == "svg" and self.drawings > 0

    def handle_data(self, data: str) -> None:
        self.lines += [line.strip() for line in data.splitlines() if line.strip()]

    def handle_comment(self, data: str) -> None:
        self.lines.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.lines.append(f"<!{decl}>")


def _is_harmless(name: str, value: str | None) -> bool:
    """Whether an attribute of a drawing can load nothing: links lead inside the page."""
    return not name.endswith("href") or (value or "").startswith("#")


def skeleton(page: str) -> list[str]:
    """Return tags with their attributes, and texts, of a page, one a line."""
    reader = _Skeleton()
    reader.feed(page)
    reader.close()
    return reader.lines


def _lines_that_differ(name: str, expected: list[str], actual: list[str]) -> list[str]:
    found = []
    for line in difflib.unified_diff(expected, actual, lineterm="", n=0):
        if line.startswith("+") and not line.startswith("+++"):
            found.append(f"{name} says “{line[1:161]}”, which is not what results.json gives")
        elif line.startswith("-") and not line.startswith("---"):
            found.append(f"{name} lacks “{line[1:161]}”")
    more = [f"{name} differs in {len(found) - SHOWN} more lines"] if len(found) > SHOWN else []
    return found[:SHOWN] + more
