"""The sentence of a plan."""

from __future__ import annotations

from typing import Protocol

from gradlab.statistics._words import percent
from gradlab.statistics.verdict import Kind


class Answer(Protocol):
    """Seeds, true difference and power for one of the assumed SDs; None where there is none."""

    @property
    def seeds(self) -> int | None: ...
    @property
    def effect(self) -> float | None: ...
    @property
    def power(self) -> float: ...


def plan_text(low: Answer, high: Answer, kind: Kind, delta: float, level: float, parts: int) -> str:
    """Say what so many seeds show, for the low and the high end of the assumed SDs."""
    if low.seeds is None:
        return "No practical number of seeds shows this effect: more test samples, a larger effect or a smaller SD."
    where = "" if parts == 1 else f" in all of {parts} parts"
    if low.effect is None:
        most = f"{100 * low.power:.0f}"
        return (
            f"{low.seeds} paired seeds cannot show two equal arms to be the same within {delta:g}{where}: "
            f"the power is at most {most} %, by a {percent(level)} interval."
        )
    seeds = _span(str(low.seeds), "no practical number of" if high.seeds is None else str(high.seeds))
    power = _span(f"{100 * high.power:.0f}", f"{100 * low.power:.0f}")
    effect = _effect(low, high, kind)
    shown = {"more": f"above {delta:g}", "same": f"within ±{delta:g}", "not less": f"above {-delta:g}"}[kind]
    return (
        f"{seeds} paired seeds show a true difference of {effect} to be {shown}{where} "
        f"with probability {power} %, by a {percent(level)} interval."
    )


def _effect(low: Answer, high: Answer, kind: Kind) -> str:
    first, last = (None if one.effect is None else f"{one.effect:.3g}" for one in (low, high))
    if kind == "same":
        return (
            f"at most {first}"
            if first == last
            else f"at most {first} (or none at all)"
            if last is None
            else f"at most {last} to {first}"
        )
    return _span(str(first), str(last))


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
