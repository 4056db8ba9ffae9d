"""The one Jinja environment: autoescape on, numbers through `numbers`, marks through `marks`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from gradlab.report._terms import TERMS
from gradlab.report.claims import LABS, agreement, cites_labs, facts, meaning, sentence, source
from gradlab.report.marks import interval_mark, part_axis, sign
from gradlab.report.numbers import in_unit, percent, typeset


@cache
def environment() -> Environment:
    """Return the environment of all templates; every value is escaped unless it is Markup."""
    folder = Path(__file__).parent / "templates"
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(
        agreement=agreement, cites_labs=cites_labs, facts=facts, in_unit=in_unit, meaning=meaning, percent=percent,
        sentence=sentence, sign=sign, source=source, term=term, typeset=typeset,
    )  # fmt: skip
    made.globals.update(about_labs=LABS, interval_mark=interval_mark, part_axis=part_axis)
    return made


def term(name: str) -> Markup:
    """Return a word that explains itself when the pointer rests on it; a word that is no term stays as it is."""
    if name not in TERMS:
        return escape(name)
    return Markup('<abbr title="{}">{}</abbr>').format(TERMS[name][0], name)
