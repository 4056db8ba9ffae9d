"""The one Jinja environment: autoescape on, numbers through `numbers`, marks through `marks`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from gradlab.report.claims import agreement, facts
from gradlab.report.marks import claim_axis, interval_mark, sign
from gradlab.report.numbers import in_unit, percent, typeset


@cache
def environment() -> Environment:
    """Return the environment of all templates; every value is escaped unless it is Markup."""
    folder = Path(__file__).parent / "templates"
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(
        agreement=agreement, facts=facts, in_unit=in_unit, percent=percent, sign=sign, typeset=typeset
    )
    made.globals.update(claim_axis=claim_axis, interval_mark=interval_mark)
    return made
