"""Write docs/results.md from the committed results: `make docs`; with the argument `-`, print it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gradlab.report.levels import as_read, told

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results.md"
HEAD = """# What the studies say

<!-- Written by docs/make_results.py from results/*/results.json; run `make docs`. -->

Every number here stands in a committed result, and `gradlab verify results` recomputes it from the runs' predictions
and logs. Each study ran six paired seeds on a CPU; the minutes are those of its training processes together, on two cores
that did other work as well. A verdict agrees or disagrees with a publication only in the published setting; elsewhere the
report names what is different.
"""


def render() -> str:
    """Return the page."""
    folders = sorted(path.parent for path in (ROOT / "results").glob("*/results.json"))
    return HEAD + "".join(f"\n{_section(folder)}" for folder in folders)


def _section(folder: Path) -> str:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    cost = found["cost"]
    lines = [
        f"## {found['title']}: {found['data']}, setting {found['setting']}",
        "",
        f"*{found['question']}* {found['answer']}",
        "",
        f"{found['setting_text']} {cost['runs']} runs, {cost['seconds'] / 60:.0f} minutes of training; look {found['look']}; "
        f"made by `{found['provenance']['command']}` at commit {found['provenance']['commit']}. "
        f"[The whole report](../results/{folder.name}/report.md)",
        "",
        "| claim | verdict | estimate and interval | statement | published |",
        "|---|---|---|---|---|",
        *(_row(claim) for claim in as_read(found)),
        "",
    ]
    return "\n".join(lines)


def _row(claim: dict[str, Any]) -> str:
    published = claim["published"]
    cited = "–" if published is None else f"{published['value']} ({published['source']}){_agreement(claim)}"
    cells = (
        claim["id"],
        claim["verdict"],
        told(claim),
        claim["statement"],
        cited,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _agreement(claim: dict[str, Any]) -> str:
    if claim["agrees"] is None:
        return "; other setting" if claim["other_setting"] else "; open"
    return "; agrees" if claim["agrees"] else "; does not agree"


if __name__ == "__main__":
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(render())
    else:
        PAGE.write_text(render(), encoding="utf-8")
