"""Results that stand already: the same design over the same runs, evaluated by the same code, is not evaluated again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab._files import read_regular, write_whole
from gradlab.lab.designing.design import Design, dump_design
from gradlab.lab.judging.evaluate import Context
from gradlab.lab.records.binding import digest

if TYPE_CHECKING:
    from gradlab.lab.running.run import Opened

NAME = ".evaluated.json"
"""Beside results.json: what it was evaluated from, and its checksum."""


def key_of(design: Design, opened: Opened, context: Context) -> str:
    """Return the identity of an evaluation: design, context, runs, and the code that evaluates."""
    runs = {name: run.digest for name, run in opened.runs.items()}
    return digest([dump_design(design), json.loads(json.dumps(asdict(context))), runs, code_version()])


@cache
def code_version() -> str:
    """Return a digest of gradlab's own source files: names, sizes and times."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(root.rglob("*.py"))
    told = [(str(path.relative_to(root)), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def kept_results(folder: Path, key: str) -> dict[str, Any] | None:
    """Return the results in `folder` if they were evaluated with this key and stand as they were written."""
    try:
        noted = json.loads(read_regular(folder / NAME))
        content = read_regular(folder / "results.json")
        if noted == {"key": key, "results": hashlib.sha256(content).hexdigest()}:
            found: dict[str, Any] = json.loads(content)
            return found
    except (OSError, ValueError):
        pass
    return None


def keep(folder: Path, key: str) -> None:
    """Note with which key the results in `folder` were evaluated."""
    content = (folder / "results.json").read_bytes()
    noted: Mapping[str, str] = {"key": key, "results": hashlib.sha256(content).hexdigest()}
    text = json.dumps(noted).encode()
    if not (folder / NAME).is_file() or (folder / NAME).read_bytes() != text:
        write_whole(folder / NAME, text)
