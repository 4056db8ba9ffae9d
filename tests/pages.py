"""The pages of the documentation, taken apart: fenced blocks, headings, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^(`{3,}|~{3,})(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, its text, and the line number of its first line."""

    words: tuple[str, ...]
    text: str
    line: int

    @property
    def language(self) -> str:
        """The first word after the fence."""
        return self.words[0] if self.words else ""


def all_pages() -> list[Path]:
    """Return README, CHANGELOG, CONTRIBUTING and every page below docs/."""
    return [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
        (ROOT / "docs").glob("**/*.md")
    )


def page_id(page: Path) -> str:
    """Return a page's name for a test's id."""
    return str(page.relative_to(ROOT))


def split(text: str) -> tuple[list[Block], str]:
    """Return the fenced blocks of a page and what is outside of them."""
    blocks: list[Block] = []
    outside: list[str] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening is None:
            outside.append(lines[number])
            number += 1
            continue
        end = next(i for i in range(number + 1, len(lines)) if lines[i].rstrip() == opening[1])
        inside = "\n".join(lines[number + 1 : end])
        blocks.append(Block(tuple(opening[2].split()), inside, number + 2))
        number = end + 1
    return blocks, "\n".join(outside)


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    return split(page.read_text(encoding="utf-8"))[0]


def expected_output(source: str) -> list[str]:
    """Return what the lines `#> ` of a Python block say that it prints."""
    lines = (line.strip() for line in source.splitlines())
    return [line[3:] for line in lines if line.startswith("#>")]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Return the commands after `$ ` in a console block, each with the output that follows it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:].strip(), []))
        elif found:
            found[-1][1].append(line)
    return found


def pattern(expected: list[str]) -> re.Pattern[str]:
    """Return a pattern for an output: `...` stands for any text, alone on a line for any lines."""
    lines = [r"(?:.*\n)*?" if line.strip() == "..." else _line(line) for line in expected]
    return re.compile("".join(lines))


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"


def links(outside: str) -> list[str]:
    """Return the targets of links and pictures."""
    plain = re.sub(r"`[^`]*`", "", outside)
    return re.findall(r"\]\(([^)\s]+)\)", plain) + re.findall(r'(?:src|href)="([^"]+)"', plain)


def anchors(outside: str) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", outside, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
