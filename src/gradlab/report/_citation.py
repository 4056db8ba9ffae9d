"""How a report is cited: BibTeX from what its results hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradlab.report.tables import latex_text


def citation(results: Mapping[str, Any]) -> str:
    """Return a BibTeX entry that names study, data, seeds, version and command."""
    made = results.get("provenance") or {}
    seeds = results.get("seeds") or []
    told = [
        f"gradlab {made['gradlab']}" if made.get("gradlab") else "gradlab",
        f"commit {made['commit']}" if made.get("commit") else "",
        f"study {results.get('study')} on {results.get('data')}",
        f"preset {results['preset']}" if results.get("preset") else "",
        f"{len(seeds)} seed{'s' if len(seeds) != 1 else ''}" if seeds else "",
    ]
    fields = {
        "title": f"{results.get('title') or results.get('study')}: {results.get('question')}",
        "note": ", ".join(text for text in told if text),
        "howpublished": made.get("command"),
    }
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"gradlab-{results.get('study')}-{results.get('data')}").strip("-")
    lines = [f"  {key} = {{{latex_text(' '.join(str(v).split()))}}}," for key, v in fields.items() if v]
    return "\n".join([f"@misc{{{name},", *lines, "}"])
