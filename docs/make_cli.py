"""Write docs/cli.md from the program itself: `make docs`; with the argument `-`, print it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gradlab.cli.app import VERBS, app, load_verb

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

<!-- Written by docs/make_cli.py from the program itself; change the program, then run `make docs`. -->

Every verb is a few lines over the Python API. Results go to stdout, progress and mistakes to stderr. `--json` prints
data for machines. The exit code is 0, or 1 where something is wrong: a mistake in what was typed, which is said in one
sentence, or a number that `verify` could not recompute. An interrupted command exits with 130; asking again goes on.

A list is written with spaces: `--depths 2 8 32`. Data sets are described in [data.md](data.md), the parameters of a study
in [studies.md](studies.md).
"""


def render() -> str:
    """Return the page."""
    for verb in VERBS:
        load_verb(verb)
    text = app.generate_docs().replace("```console", "```text")
    parts = re.split(r"^(?=#)", text, flags=re.MULTILINE)
    kept = [_section(part) for part in parts[2:] if not part.startswith("## Table of Contents")]
    return HEAD + "\n" + "\n\n".join(kept) + "\n"


def _section(part: str) -> str:
    """Tidy one verb's section and end it with its example."""
    part = re.sub(r"\n{3,}", "\n\n", part).strip()
    words = part.splitlines()[0].lstrip("#").split()
    verb = app
    for word in words[1:]:
        verb = verb[word]
    example = str(verb.help_epilogue).removeprefix("Example: ")
    return f"{part}\n\n```console slow\n$ {example}\n```"


if __name__ == "__main__":
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(render())
    else:
        PAGE.write_text(render(), encoding="utf-8")
