"""The answer of a study in a sentence or two, computed from its verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WORDS = {
    "supported": "holds",
    "refuted": "is refuted",
    "equivalent": "makes no difference that matters",
    "inconclusive": "stays open",
}

OPEN_QUESTIONS = ("Which", "What", "How", "Where", "When", "Why")


def answer(claims: Sequence[dict[str, Any]], question: str = "") -> str:
    """Sum up the verdicts; the first claim, the study's main one, is told in full.

    Args:
        claims: of results.json. question: one that cannot be answered by yes or no is not.
    """
    if not claims:
        return "This study makes no claim; its tables and figures speak for themselves."
    first = claims[0]
    counts = {verdict: sum(claim["verdict"] == verdict for claim in claims) for verdict in WORDS}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    lead = _lead(first)
    rest = "" if len(claims) == 1 else f" Of {len(claims)} claims: {told}."
    if question.startswith(OPEN_QUESTIONS) and first["verdict"] != "inconclusive":
        lead = ""
    return f"{lead} {first['statement'].rstrip('.')}: {first['verdict']}.{rest}".lstrip()


def _lead(claim: dict[str, Any]) -> str:
    """Open with yes or no, as far as the verdict goes; of several parts one can speak for itself alone."""
    several = len(claim.get("parts") or ()) > 1
    if claim["verdict"] == "inconclusive":
        return "Not in every part." if claim.get("is_settled") else "These runs cannot tell yet."
    return {
        "supported": "Yes.",
        "refuted": "Not in every part." if several else "No, the opposite.",
        "equivalent": "No: it makes no difference that matters.",
    }[claim["verdict"]]
