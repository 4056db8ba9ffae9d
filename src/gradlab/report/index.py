"""One page that lists all reports of a folder: what each asked, what it answered, and where it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gradlab._files import read_regular, write_whole
from gradlab.report._templates import environment
from gradlab.report.claims import tally
from gradlab.types import UserError

NAME = "index.html"


def write_index(reports: Path) -> Path:
    """Write the list of all reports below a folder; those that cannot be read are left out.

    Returns: the path of the page.
    """
    path, page = reports / NAME, render_index(reports).encode()
    if not path.is_file() or path.read_bytes() != page:
        write_whole(path, page)
    return path


def render_index(reports: Path) -> str:
    """Return the list of all reports below a folder as a page, the latest first."""
    found = [entry for file in reports.glob("*/results.json") if (entry := _entry(file))]
    found.sort(key=lambda entry: (entry["date"], entry["name"]), reverse=True)
    return environment().get_template("index.html").render(entries=found)


def _entry(file: Path) -> dict[str, Any] | None:
    try:
        results = json.loads(read_regular(file))
        return {
            "name": file.parent.name,
            "title": results["title"],
            "question": results["question"],
            "answer": results["answer"],
            "about": f"{results['data']}, preset {results['preset']}, {len(results['seeds'])} seeds",
            "tally": tally(results["claims"]),
            "date": str(results["provenance"].get("date") or ""),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
        return None
