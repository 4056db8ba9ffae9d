"""What is said about a claim besides its numbers: facts, agreement with the publication, tally of verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from gradlab.report.marks import VERDICTS, check_verdict, region
from gradlab.report.numbers import MISSING, NO_INTERVAL, in_unit, is_number, level, number

Claim = dict[str, Any]


def whole(claim: Claim) -> Claim:
    """Return the claim as its card shows it.

    A part is of its claim's kind unless it says its own. A single part is the claim itself, so its seeds and label
    move up.
    """
    parts = [{"kind": claim.get("kind"), **part} for part in claim.get("parts") or []]
    if len(parts) != 1:
        return {**claim, "parts": parts}
    measure = " · ".join(text for text in (claim.get("measure"), parts[0].get("label")) if text)
    differences = claim.get("differences") or parts[0].get("differences")
    return {**claim, "measure": measure, "differences": differences, "parts": None}


def facts(claim: Claim) -> list[tuple[str, str]]:
    """Return what the verdict stands on as (name, value), without what is not known."""
    found = [
        ("asked" if "against" in claim else "δ", in_unit(claim).delta),
        ("seeds", number(claim.get("n"))),
        ("test images", number(claim.get("samples"))),
        ("level", level(claim.get("level"))),
        ("look", number(claim.get("look"))),
        ("sign-flip p", number(claim.get("sign_flip"), 3)),
        ("variance from seeds", level(_round(claim.get("seed_share")))),
        ("degrees of freedom", number(claim.get("degrees_of_freedom"), 1)),
    ]
    return [(name, value) for name, value in found if value != "–"]


def _round(share: Any) -> Any:
    return round(share, 2) if is_number(share) else None


def agreement(claim: Claim) -> str:
    """Say in a sentence how the verdict stands to what was published."""
    if claim.get("agrees") is True:
        return "agrees with the published claim."
    if claim.get("agrees") is False:
        expected = f" (expected: {claim['predicts']})" if claim.get("predicts") else ""
        return f"does not agree with the published claim{expected}."
    if not claim.get("same_setting", True):
        return "not comparable: the setting here is different."
    return "open: these data cannot decide."


def address(published: dict[str, Any]) -> str | None:
    """Return where a published value comes from, if that is an address that can be followed safely."""
    link = str(published.get("link") or "")
    return link if re.fullmatch(r"https://[\w.-]+(/[\w./#-]*)?", link) else None


def source(published: dict[str, Any]) -> Markup:
    """Write the source of a published value, linked where its address is known."""
    name, link = published.get("source") or "", address(published)
    if link is None:
        return escape(name)
    return Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(link, name)


LABS = "gradlab's page docs/published.md introduces the labs and says how their values were obtained."


def cites_labs(claims: Sequence[Claim]) -> bool:
    """Whether a claim names a published lab."""
    return any(str((one.get("published") or {}).get("source", "")).startswith("lab ") for one in claims)


def tally(claims: Sequence[Claim]) -> list[tuple[str, int]]:
    """Count verdicts in their fixed order, without those that do not occur."""
    verdicts = [check_verdict(claim["verdict"]) for claim in claims]
    return [(verdict, verdicts.count(verdict)) for verdict in VERDICTS if verdict in verdicts]


ASKS = {
    "more": "asks for more than a difference of δ = {delta}: it holds where the true difference lies above +{delta}.",
    "same": "asks for no difference that matters: it holds where the true difference lies between −{delta} and +{delta}.",
    "not less": "asks for no loss that matters: it holds where the true difference lies above −{delta}.",
}
CONCLUDES = {
    "supported": "All of it lies where the claim holds: the claim is supported.",
    "refuted": "All of it lies where the claim does not hold: the claim is refuted.",
    "open": "Part of it lies where the claim holds, part where it does not: these data cannot decide, and the claim stays open.",
}


def meaning(claim: Claim) -> list[str]:
    """Explain a verdict to somebody who sees one for the first time: what was asked, found and concluded."""
    region(claim)  # names a kind that is not known
    shown = in_unit(claim)
    is_level = "against" in claim
    asks = ASKS[claim["kind"]].format(delta=shown.delta)
    if is_level:
        asks = f"holds where the true value lies {claim['against'].asked}."
    said = [f"The claim {asks}"] if shown.delta != MISSING else []
    if is_number(claim.get("estimate")):
        said.append(f"{_found(claim)} {shown.estimate}.")
    if shown.interval in (MISSING, NO_INTERVAL):
        return [*said, "No interval can be given, so the claim stays open."]
    said.append(
        f"Chance may have shifted this result. The {'values' if is_level else 'differences'} compatible with the data are "
        f"{shown.interval}."
    )
    return [*said, CONCLUDES[check_verdict(claim["verdict"])]]


def _found(claim: Claim) -> str:
    count = claim.get("n")
    if count == 1:
        return "One seed gave"
    return f"The mean over {number(count)} seeds is" if is_number(count) else "The data gave"


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop.

    >>> sentence("worse"), sentence("Better, by less than a point.")
    ('Worse.', 'Better, by less than a point.')
    """
    words = text.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
