"""What is said about a claim besides its numbers: facts, agreement with the publication, tally of verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradlab.report.marks import VERDICTS, check_verdict
from gradlab.report.numbers import in_unit, is_number, level, number

Claim = dict[str, Any]


def whole(claim: Claim) -> Claim:
    """Return the claim as its card shows it: a single part is the claim itself, so its seeds and label move up."""
    parts = claim.get("parts") or []
    if len(parts) != 1:
        return claim
    measure = " · ".join(text for text in (claim.get("measure"), parts[0].get("label")) if text)
    differences = claim.get("differences") or parts[0].get("differences")
    return {**claim, "measure": measure, "differences": differences, "parts": None}


def facts(claim: Claim) -> list[tuple[str, str]]:
    """Return what the verdict stands on as (name, value), without what is not known."""
    found = [
        ("δ", in_unit(claim).delta),
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
        expected = f" (the wording lets one expect '{claim['predicts']}')" if claim.get("predicts") else ""
        return f"does not agree with the published claim{expected}."
    if not claim.get("same_setting", True):
        return "not comparable: the verdict is about the setting that ran here."
    return "open: the data do not decide yet."


def tally(claims: Sequence[Claim]) -> list[tuple[str, int]]:
    """Count verdicts in their fixed order, without those that do not occur."""
    verdicts = [check_verdict(claim["verdict"]) for claim in claims]
    return [(verdict, verdicts.count(verdict)) for verdict in VERDICTS if verdict in verdicts]
