"""The report as one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from gradlab.report import _view
from gradlab.report._alarms import alarms_view
from gradlab.report._citation import citation
from gradlab.report._runs import runs_view
from gradlab.report._templates import environment
from gradlab.report._terms import TERMS
from gradlab.report.claims import tally, whole
from gradlab.report.levels import as_read
from gradlab.report.numbers import minus_in_prose
from gradlab.types import UserError, did_you_mean


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
    figures = _view.figure_views(results)
    key = key_figure(results)
    links = [_figure_link(claim, results, figures) for claim in claims]
    script = environment().get_template("page.js").render()
    shown = {
        "r": {**results, "claims": [whole(claim) for claim in as_read(results)]},
        "headline": headline(results),
        "tally": tally(claims),
        "claim_anchors": [_view.anchor("claim", c.get("id"), i) for i, c in enumerate(claims, 1)],
        "claim_figures": links,
        "specs": _view.specs(results),
        "parameters": [(k, _view.plain_value(v)) for k, v in (results.get("parameters") or {}).items()],
        "arms": _view.arms_view(results),
        "tables": tables,
        "key": None if key is None else figures[key],
        "figures": [view for i, view in enumerate(figures) if i != key],
        "alarms": alarms_view(results),
        "twins": _view.twins_view(results),
        "runs": runs_view(results),
        "cost": _view.cost_view(results),
        "provenance": _view.provenance_view(results),
        "citation": citation(results),
        "terms": TERMS,
        "script": Markup(script),
        "policy": policy(script),
        "generator": generator(),
    }
    return minus_in_prose(environment().get_template("page.html").render(sections=_sections(shown), **shown))


def generator() -> str:
    """Return what draws pages here: where another page names the same, it has the same bytes."""
    return f"gradlab {version('gradlab')}, matplotlib {version('matplotlib')}"


def drawn_with(page: str) -> str | None:
    """Return what a page says that it was drawn with."""
    found = re.search(r'<meta name="generator" content="([^"]*)">', page)
    return found[1] if found else None


def policy(script: str) -> str:
    """Return the page's Content-Security-Policy: nothing is loaded, and no script runs but this one."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def key_figure(results: dict[str, Any]) -> int | None:
    """Return which figure stands at the top: the one that "key_figure" names, else the first.

    Raises:
        UserError: no figure has that name.
    """
    figures, name = results.get("figures") or [], results.get("key_figure")
    if name is None:
        return 0 if figures else None
    return _index_of(name, results)


def _index_of(name: Any, results: dict[str, Any]) -> int:
    names = [str(figure.get("name")) for figure in results.get("figures") or []]
    if str(name) not in names:
        raise UserError(f"no figure is called '{name}': {did_you_mean(str(name), names)}")
    return names.index(str(name))


def _figure_link(
    claim: dict[str, Any], results: dict[str, Any], views: list[dict[str, Any]]
) -> tuple[str, str] | None:
    """Return anchor and title of the figure that a claim names."""
    if not claim.get("figure"):
        return None
    view = views[_index_of(claim["figure"], results)]
    return view["anchor"], view["title"]


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
        "claims": ("Claims", shown["r"]["claims"]), "figures": ("Figures", shown["figures"]),
        "tables": ("Results", shown["tables"]), "setting": ("What ran", True),
        "runs": ("Every run", shown["runs"]), "alarms": ("What the probes say", shown["alarms"]),
        "cost": ("Cost", shown["cost"]), "evidence": ("How to recompute", True), "glossary": ("How to read", True),
    }  # fmt: skip
    return [(anchor, name) for anchor, (name, there) in known.items() if there]
