"""Judge a claim that must hold in every part, e.g. at every depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace

from numpy.typing import ArrayLike

from gradlab.statistics._arms import Learned, Range, Values
from gradlab.statistics._checks import check_count
from gradlab.statistics.judge import judge
from gradlab.statistics.judgement import Judgement
from gradlab.statistics.more_seeds import MoreSeeds
from gradlab.statistics.reading import Better
from gradlab.statistics.sampled import Sampled
from gradlab.statistics.verdict import Kind, Verdict
from gradlab.types import UserError

NOT_YET = "excluded for this part, not yet for the claim"
Judged = Mapping[str, Judgement]


@dataclass(frozen=True)
class Part:
    """One part of a claim: the arguments of `judge` that may differ from part to part."""

    a: Values
    b: ArrayLike | Sampled | None = None
    _: KW_ONLY
    delta: float
    kind: Kind = "more"
    learned: Learned | None = None
    unit: str = ""
    better: Better = "higher"
    range: Range | None = None
    given: bool = False


def judge_every(
    parts: Mapping[str, Part],
    *,
    level: float | None = None,
    alpha: float = 0.05,
    claims: int = 1,
    look: int = 1,
) -> Judgement:
    """Judge "the claim holds in every part".

    supported: every part is, each at the claim's level (intersection-union: no correction is due).
    refuted: one part is, at level 1 - error/parts (any of them could be it: Bonferroni). open: anything else; a part
    that is refuted at the claim's level alone reads "excluded for this part, not yet for the claim".

    Args:
        parts: label -> its values; kinds, measures and deltas may differ.
        level: the claim's level; None takes it from alpha, claims and look as `judge` does.
        alpha: error rate of the whole study, in (0, 1).
        claims: number of claims that the study makes.
        look: number of this look at the data.

    Returns: a judgement with `.parts`, each at the claim's level, those that refute the claim at the stricter one. Its
        estimate, interval and sign-flip are those of the part `weakest`: the one that decides, or the nearest to
        its boundary, in units of its delta.

    Raises:
        UserError: no parts, or what `judge` refuses.
    """
    if not parts:
        raise UserError(
            "a claim about every part needs at least one part, got none; give {label: Part(...)}."
        )
    check_count(claims, "claims")
    judged = {label: _judge(part, alpha, claims, look, level) for label, part in parts.items()}
    count = claims * len(parts) if level is None else claims
    stricter = None if level is None else 1 - (1 - level) / len(parts)
    strict = {label: _judge(part, alpha, count, look, stricter) for label, part in parts.items()}
    deciding = {label: one for label, one in strict.items() if one.verdict == "refuted"}
    final: Verdict = "refuted" if deciding else "open"
    if all(one.verdict == "supported" for one in judged.values()):
        final = "supported"
    shown = {label: deciding.get(label, _not_yet(one)) for label, one in judged.items()}
    weakest = min(deciding or shown, key=lambda label: _margin(shown[label]))
    return replace(
        shown[weakest],
        verdict=final,
        reading=_reading(final, shown, weakest),
        explanation=_explain(final, shown, weakest),
        more_seeds=_needs(judged, strict) if final == "open" else None,
        flags=tuple(f"{label}: {flag}" for label, one in judged.items() for flag in one.flags),
        parts=shown,
        weakest=weakest,
    )


def _judge(part: Part, alpha: float, claims: int, look: int, level: float | None) -> Judgement:
    return judge(
        part.a,
        part.b,
        kind=part.kind,
        delta=part.delta,
        level=level,
        alpha=alpha,
        claims=claims,
        look=look,
        learned=part.learned,
        unit=part.unit,
        better=part.better,
        range=part.range,
        given=part.given,
    )


def _not_yet(one: Judgement) -> Judgement:
    """A part as it stands in a claim that it does not decide."""
    return replace(one, reading=f"{one.reading}: {NOT_YET}") if one.verdict == "refuted" else one


def _margin(one: Judgement) -> float:
    """How far the interval lies inside the part's region, in units of delta, so that measures compare."""
    beyond = {"more": one.low - one.delta, "not less": one.low + one.delta}
    same = min(one.low + one.delta, one.delta - one.high)
    return beyond.get(one.kind, same) / one.delta


def _reading(final: Verdict, shown: Judged, weakest: str) -> str:
    if final == "supported" and len({one.reading for one in shown.values()}) == 1:
        return f"in every part {shown[weakest].reading}"
    return "; ".join(f"{label}: {one.reading}" for label, one in shown.items())


def _explain(final: Verdict, shown: Judged, weakest: str) -> str:
    told = f"{weakest}: {shown[weakest].explanation}"
    if final == "refuted":
        return f"Not in every part: {told}"
    if final == "supported":
        return f"In each of {len(shown)} parts; the nearest to its boundary is {told}"
    unsettled = ", ".join(label for label, one in shown.items() if one.verdict != "supported")
    return f"Open in {unsettled}; the nearest to failing is {told}"


def _needs(judged: Judged, strict: Judged) -> MoreSeeds:
    """What would settle it: the easiest part that heads for refuting the claim, else the hardest that is open."""
    needs = {
        label: (strict if one.verdict == "refuted" else judged)[label].more_seeds
        for label, one in judged.items()
        if one.verdict != "supported"
    }
    known = [(label, one) for label, one in needs.items() if one is not None]
    refuting = [(label, one) for label, one in known if one.way == "refuted" and one.kind != "nothing"]
    if not refuting:
        return _labelled(max(known, key=_hardness))
    label, _ = min(refuting, key=_hardness)
    need = strict[label].more_seeds
    assert need is not None  # no part is refuted at the stricter level
    return _labelled((label, need))


def _hardness(need: tuple[str, MoreSeeds]) -> tuple[int, int, int]:
    order = {"seeds": 0, "samples": 1, "nothing": 2}
    return order[need[1].kind], need[1].low or 0, need[1].high or 0


def _labelled(need: tuple[str, MoreSeeds]) -> MoreSeeds:
    label, one = need
    return replace(one, text=f"{label}: {one.text}")
