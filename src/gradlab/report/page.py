"""The report as one self-contained HTML page."""

from __future__ import annotations

from typing import Any

from gradlab.report import _view
from gradlab.report._alarms import alarms_view
from gradlab.report._templates import environment
from gradlab.report.claims import tally, whole


def render_html(results: dict[str, Any]) -> str:
    """Return one HTML page that loads nothing from anywhere; the same results give the same bytes.

    Args:
        results: as in results.json; optional parts that are missing are left out of the page.

    Raises:
        UserError: a verdict, kind of cell or kind of figure that is not known.
    """
    claims = results.get("claims") or []
    tables = [
        _view.table_view(table, name, i)
        for i, (name, table) in enumerate((results.get("tables") or {}).items(), 1)
    ]
    shown = {
        "r": {**results, "claims": [whole(claim) for claim in claims]},
        "headline": headline(results),
        "tally": tally(claims),
        "claim_anchors": [_view.anchor("claim", c.get("id"), i) for i, c in enumerate(claims, 1)],
        "specs": _view.specs(results),
        "parameters": [(k, _view.plain_value(v)) for k, v in (results.get("parameters") or {}).items()],
        "arms": _view.arms_view(results),
        "tables": tables,
        "figures": _view.figure_views(results),
        "alarms": alarms_view(results),
        "twins": _view.twins_view(results),
        "runs": _view.runs_view(results),
        "cost": _view.cost_view(results),
        "provenance": _view.provenance_view(results),
    }
    return environment().get_template("page.html").render(sections=_sections(shown), **shown)


def headline(results: dict[str, Any]) -> str:
    """Return preset, seeds and look in a few words."""
    count = len(results.get("seeds") or [])
    seeds = f"{count} seed{'s' if count != 1 else ''}" if count else None
    look = f"look {results['look']}" if results.get("look") else None
    preset = f"preset {results['preset']}" if results.get("preset") else None
    return " · ".join(text for text in (preset, seeds, look) if text)


def _sections(shown: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the contents of the page: (anchor, name) of each section that is there."""
    known = {
        "claims": ("Claims and verdicts", shown["r"]["claims"]), "setting": ("What ran", True),
        "tables": ("Results", shown["tables"]), "figures": ("Figures", shown["figures"]),
        "alarms": ("What the probes say", shown["alarms"]),
        "twins": ("What differs", shown["twins"]), "runs": ("Every run", shown["runs"]),
        "cost": ("Cost", shown["cost"]), "provenance": ("Provenance", True), "glossary": ("How to read", True),
    }  # fmt: skip
    return [(anchor, name) for anchor, (name, there) in known.items() if there]
