"""Judge a claim that must hold in every part, e.g. at every depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace

from numpy.typing import ArrayLike

from gradlab.statistics._checks import check_count
from gradlab.statistics.judge import Trained, Values, judge
from gradlab.statistics.judgement import Judgement
from gradlab.statistics.more_seeds import MoreSeeds
from gradlab.statistics.sampled import Sampled
from gradlab.statistics.verdict import Verdict
from gradlab.types import UserError


@dataclass(frozen=True)
class Part:
    """One part of a claim: the arguments of `judge` that may differ from part to part."""

    a: Values
    b: ArrayLike | Sampled | None = None
    _: KW_ONLY
    delta: float
    trained: Trained | None = None
    unit: str = ""
    given: bool = False


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
    equivalent: every part is, at the claim's level. inconclusive: anything else. It is settled nevertheless
    (`Judgement.is_settled`) where every part has its verdict, not all alike, and one is equivalent also at
    level 1 - error/parts: the claim does not hold in every part, and no number of seeds changes that.

    Args:
        parts: label -> its values; measures and deltas may differ.
        level: the claim's level; None takes it from alpha, claims and look as `judge` does.
        alpha: error rate of the whole study, in (0, 1).
        claims: number of claims that the study makes.
        look: number of this look at the data.

    Returns: a judgement with `.parts`; its estimate, interval and sign-flip are those of the `weakest` part, the
        one with the smallest lower end in units of its delta; where equivalent, the one whose interval
        reaches furthest from 0. Where the claim is refuted, or settled as not holding in every part, they are
        those of the part that shows it, at the stricter level that decided.

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
    final = _combined({one.verdict for one in judged.values()}, strict)
    more = _needs(judged, strict) if final == "inconclusive" else None
    shows = {"refuted": "refuted", "inconclusive": "equivalent"}.get(final) if more is None else None
    decisive = {label: one for label, one in strict.items() if one.verdict == shows}
    candidates = decisive or judged
    weakest = min(candidates, key=lambda label: _strength(candidates[label], final))
    return replace(
        candidates[weakest],
        verdict=final,
        explanation=_explain(final, judged, strict, weakest, candidates[weakest], is_settled=more is None),
        more_seeds=more,
        flags=tuple(f"{label}: {flag}" for label, one in judged.items() for flag in one.flags),
        parts={**judged, **decisive},
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
        given=part.given,
    )


def _combined(verdicts: set[Verdict], strict: Mapping[str, Judgement]) -> Verdict:
    if any(one.verdict == "refuted" for one in strict.values()):
        return "refuted"
    if verdicts == {"supported"}:
        return "supported"
    return "equivalent" if verdicts == {"equivalent"} else "inconclusive"


def _strength(one: Judgement, final: Verdict) -> float:
    """How far a part lies on the claim's side, in units of delta, so that parts of different measures compare."""
    if final == "equivalent":
        return -max(abs(one.low), abs(one.high)) / one.delta
    return one.low / one.delta


def _explain(
    final: Verdict,
    judged: Mapping[str, Judgement],
    strict: Mapping[str, Judgement],
    weakest: str,
    shown: Judgement,
    *,
    is_settled: bool,
) -> str:
    told = f"{weakest}: {shown.explanation}"
    if final == "refuted":
        return f"Not in every part: {told}"
    if final == "supported":
        return f"Above its smallest difference in each of {len(judged)} parts; the weakest is {told}"
    if final == "equivalent":
        return f"No difference that matters in any of {len(judged)} parts; the closest to one is {told}"
    each = ", ".join(f"{label} is {one.verdict}" for label, one in judged.items())
    if is_settled:
        return (
            f"Settled, but not alike: {each}; so it does not hold in every part, "
            f"and no number of seeds changes that; {told}"
        )
    open_parts = ", ".join(
        f"{label} ({one.verdict})" for label, one in judged.items() if one.verdict != "supported"
    )
    without = [label for label, one in strict.items() if one.verdict == "equivalent"]
    lead = f"It does not hold in {', '.join(without)}, the rest is not settled" if without else "Not settled"
    return f"{lead} in every part, see {open_parts}; the weakest is {told}"


def _needs(judged: Mapping[str, Judgement], strict: Mapping[str, Judgement]) -> MoreSeeds | None:
    """What the hardest open part needs; None where each part is settled, not alike, and seeds change nothing.

    Where each part has its verdict but none shows at the stricter level that the claim fails, it is what the
    easiest such part needs for that.
    """
    if needs := _open(judged, judged):
        return _labelled(max(needs, key=_hardness))
    refuted = {label: one for label, one in judged.items() if one.verdict == "refuted"}
    if not refuted and any(one.verdict == "equivalent" for one in strict.values()):
        return None
    failing = refuted or {label: one for label, one in judged.items() if one.verdict == "equivalent"}
    return _labelled(min(_open(strict, failing), key=_hardness))


def _open(judged: Mapping[str, Judgement], labels: Iterable[str]) -> list[tuple[str, MoreSeeds]]:
    needs = ((label, judged[label].more_seeds) for label in labels)
    return [(label, need) for label, need in needs if need is not None]


def _hardness(need: tuple[str, MoreSeeds]) -> tuple[int, int, int]:
    order = {"seeds": 0, "samples": 1, "nothing": 2}
    return order[need[1].kind], need[1].low or 0, need[1].high or 0


def _labelled(need: tuple[str, MoreSeeds]) -> MoreSeeds:
    label, one = need
    return replace(one, text=f"{label}: {one.text}")
