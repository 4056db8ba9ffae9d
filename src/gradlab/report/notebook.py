"""Claims and tables as HTML for a notebook's cell, with their style."""

from __future__ import annotations

from typing import Any

from gradlab.report._templates import environment
from gradlab.report._view import table_view
from gradlab.report.claims import tally, whole
from gradlab.report.levels import as_read
from gradlab.report.tables import Table


def claims_html(results: dict[str, Any]) -> str:
    """Return the verdict cards of a study as HTML with its own style.

    Raises:
        UserError: a verdict that is not known.
    """
    tally(results.get("claims") or [])
    claims = [whole(claim) for claim in as_read(results)]
    return environment().get_template("notebook.html").render(claims=claims, view=None)


def table_html(table: Table) -> str:
    """Return a table of results.json as HTML with its own style.

    Raises:
        UserError: a kind of cell that is not known.
    """
    return environment().get_template("notebook.html").render(claims=[], view=table_view(table))
