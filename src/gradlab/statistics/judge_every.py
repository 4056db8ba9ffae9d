"""Judge a claim that must hold in every part, e.g. at every depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace

from numpy.typing import ArrayLike

from gradlab.statistics._checks import check_count
from gradlab.statistics.judge import Trained, judge
from gradlab.statistics.judgement import Judgement
from gradlab.statistics.looks import alpha_at
from gradlab.statistics.more_seeds import MoreSeeds
from gradlab.statistics.verdict import Verdict
from gradlab.types import UserError


@dataclass(frozen=True)
class Part:
    """One part of a claim: the arguments of `judge` that may differ from part to part."""

    a: ArrayLike
    b: ArrayLike | None = None
    _: KW_ONLY
    delta: float
    trained: Trained | None = None
    unit: str = ""


def judge_every(
    parts: Mapping[str, Part],
    *,
    level: float | None = None,
    alpha: float = 0.05,
    claims: int = 1,
    look: int = 1,
) -> Judgement:
    """Judge "a exceeds b by more than delta in every part".

    supported: every part is, each at the claim's level (intersection-union: no correction is due).
    refuted: one part is, at level 1 - error/parts (any of them could be it: Bonferroni).
    equivalent: every part is, at the claim's level. inconclusive: anything else.

    Args:
        parts: label -> its values; measures and deltas may differ.
        level: the claim's level; None takes it from alpha, claims and look as `judge` does.
        alpha: error rate of the whole study, in (0, 1).
        claims: number of claims that the study makes.
        look: number of this look at the data.

    Returns: a judgement with `.parts`; its estimate, interval and sign-flip are those of the `weakest` part, the
        one with the smallest lower end in units of its delta. Where the claim is refuted they are those of
        the part that refutes it, at the stricter level that decided.

    Raises:
        UserError: no parts, or what `judge` refuses.
    """
    if not parts:
        raise UserError(
            "a claim about every part needs at least one part, got none; give {label: Part(...)}."
        )
    check_count(claims, "claims")
    error = alpha_at(look, alpha) / claims if level is None else 1 - level
    judged, against = {}, {}
    for label, part in parts.items():
        judged[label] = _judge(part, alpha, claims, look, level)
        strict = _judge(part, alpha, claims, look, 1 - error / len(parts))
        if strict.verdict == "refuted":
            against[label] = strict
    final = _combined({one.verdict for one in judged.values()}, is_refuted=bool(against))
    weakest = min(against or judged, key=lambda label: _lower_end(judged[label]))
    return replace(
        (against or judged)[weakest],
        verdict=final,
        explanation=_explain(final, judged, weakest, (against or judged)[weakest]),
        more_seeds=_hardest(judged) if final == "inconclusive" else None,
        flags=tuple(f"{label}: {flag}" for label, one in judged.items() for flag in one.flags),
        parts={**judged, **against},
        weakest=weakest,
    )


def _judge(part: Part, alpha: float, claims: int, look: int, level: float | None) -> Judgement:
    return judge(
        part.a,
        part.b,
        delta=part.delta,
        level=level,
        alpha=alpha,
        claims=claims,
        look=look,
        trained=part.trained,
        unit=part.unit,
    )


def _combined(verdicts: set[Verdict], *, is_refuted: bool) -> Verdict:
    if is_refuted:
        return "refuted"
    if verdicts == {"supported"}:
        return "supported"
    return "equivalent" if verdicts == {"equivalent"} else "inconclusive"


def _lower_end(one: Judgement) -> float:
    """Lower end in units of delta, so that parts of different measures compare."""
    return one.low / one.delta


def _explain(final: Verdict, judged: Mapping[str, Judgement], weakest: str, shown: Judgement) -> str:
    if final == "refuted":
        return f"Not so in {weakest}: {shown.explanation}"
    if final in ("supported", "equivalent"):
        return f"So in each of {len(judged)} parts; the weakest is {weakest}: {shown.explanation}"
    others = [f"{label} ({one.verdict})" for label, one in judged.items() if one.verdict != "supported"]
    return (
        f"Not settled in every part, see {', '.join(others)}; the weakest is {weakest}: {shown.explanation}"
    )


def _hardest(judged: Mapping[str, Judgement]) -> MoreSeeds | None:
    """What the hardest open part needs; None where each part is settled, but not alike."""
    hardness = {"seeds": 0, "samples": 1, "nothing": 2}
    needs = [(label, one.more_seeds) for label, one in judged.items() if one.more_seeds is not None]
    if not needs:
        return None
    label, hardest = max(
        needs, key=lambda need: (hardness[need[1].kind], need[1].low or 0, need[1].high or 0)
    )
    return replace(hardest, text=f"{label}: {hardest.text}")
