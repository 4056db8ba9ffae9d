"""What would settle an open claim: how many more seeds, or test samples, and which way."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gradlab._scipy import special
from gradlab.statistics._samples import reach
from gradlab.statistics.interval import Interval
from gradlab.statistics.verdict import Kind, Verdict, boundaries, is_inside, verdict

CAP = 1000
MOST_TIMES = 1000.0
SD_CONFIDENCE = 0.8
Ends: TypeAlias = Callable[[Interval, int, float], tuple[float, float]]
"""Ends of an interval like this one with so many seeds and an inflated variance over the seeds."""


@dataclass(frozen=True)
class MoreSeeds:
    """What would settle an open claim, should the estimate stay where it is.

    `kind`: "seeds" or "samples" (from `low` to `high` more; `high` None where no upper bound is known, `low` None where
    no number is), or "nothing" (the estimate sits on a boundary). `way` is the verdict that it would come to.
    """

    kind: Literal["seeds", "samples", "nothing"]
    low: int | None
    high: int | None
    way: Verdict
    text: str


def more_seeds(
    interval: Interval, delta: float, next_level: float, kind: Kind = "more", *, ends: Ends | None = None
) -> MoreSeeds:
    """Return how many seeds, or samples, would move the boundaries out of the interval, if the estimate stays.

    The low end takes the spread as estimated, which is optimistic; the high end takes its upper 80 % confidence
    bound (Browne, 1995, doi:10.1002/sim.4780141709). The interval is the next look's, so that looking again is
    paid for.

    Args:
        interval: the interval that left the claim open.
        delta: the smallest difference that matters, > 0.
        next_level: level of the interval at the next look, in (0, 1).
        kind: what the claim says.
        ends: how the interval would change; None: as `interval` computes it.
    """
    way: Verdict = "supported" if is_inside(interval.estimate, delta, kind) else "refuted"
    if (unknown := _unknown(interval, way)) is not None:
        return unknown
    question = _Question(interval, delta, next_level, kind, ends or _normal_ends, way)
    distance = min(abs(interval.estimate - end) for end in boundaries(delta, kind))
    if distance <= 1e-9 * delta:
        return question.nothing()
    if not interval.given:
        inflation = (interval.n - 1) / float(special.chdtri(interval.n - 1, SD_CONFIDENCE))
        if (low := question.seeds(1.0)) is not None:
            return _seeds(low, question.seeds(inflation), way)
    if not interval.axes or distance <= 1e-3 * delta:
        return question.nothing()
    return question.samples()


@dataclass(frozen=True)
class _Question:
    interval: Interval
    delta: float
    level: float
    kind: Kind
    ends: Ends
    way: Verdict

    def seeds(self, inflation: float) -> int | None:
        """Smallest number of further seeds that decides; None beyond the cap."""

        def settles(more: int) -> bool:
            return self._decides(self.interval, self.interval.n + more, inflation)

        if not settles(CAP):
            return None
        return bisect_left(range(1, CAP + 1), True, key=settles) + 1  # more seeds only shorten it

    def samples(self) -> MoreSeeds:
        """How many times as many samples of every axis decide."""
        fewest = min(axis.samples for axis in self.interval.axes)
        inflation = (fewest - 1) / float(special.chdtri(fewest - 1, SD_CONFIDENCE))
        low, high = self._times(1.0), self._times(inflation)
        if low is None:
            text = "more test samples and more seeds: neither alone would settle it"
            return MoreSeeds("samples", None, None, self.way, text)
        axes = self.interval.axes
        if len(axes) > 1:
            times = _span(f"{low:.2g}", None if high is None else f"{high:.2g}")
            text = f"{times} times as many samples of each kind would {_verb(self.way)} the claim"
            return MoreSeeds("samples", None, None, self.way, _if_it_stays(text, f"{low:.2g} times"))
        (axis,) = axes
        more = [None if one is None else _round_up(axis.samples * (one - 1)) for one in (low, high)]
        text = f"{_span(*map(_count, more))} more test samples would {_verb(self.way)} the claim"
        return MoreSeeds("samples", more[0], more[1], self.way, _if_it_stays(text, str(_count(more[0]))))

    def nothing(self) -> MoreSeeds:
        text = "no practical number of seeds or samples settles it: the estimate sits at the boundary"
        return MoreSeeds("nothing", None, None, self.way, text)

    def _times(self, inflation: float) -> float | None:
        """Smallest factor of the samples that decides, with the seeds there are; None beyond the most."""

        def settles(factor: float) -> bool:
            return self._decides(_with_samples(self.interval, factor, inflation), self.interval.n, 1.0)

        low, high = 1.0, MOST_TIMES
        if not settles(high):
            return None
        for _ in range(40):
            middle = math.sqrt(low * high)
            low, high = (low, middle) if settles(middle) else (middle, high)
        return high

    def _decides(self, interval: Interval, n: int, inflation: float) -> bool:
        low, high = self.ends(replace(interval, level=self.level), n, inflation)
        return verdict(low, high, self.delta, self.kind) != "open"


def _normal_ends(interval: Interval, n: int, inflation: float) -> tuple[float, float]:
    variance = inflation * interval.seed_variance * interval.n / n
    below, above = (reach(variance, interval.axes, n, interval.level, side) for side in (0, 1))
    return interval.estimate - below, interval.estimate + above


def _with_samples(interval: Interval, factor: float, inflation: float) -> Interval:
    axes = tuple(
        replace(
            axis,
            samples=round(axis.samples * factor),
            variance=axis.variance * inflation / factor,
            spread=(axis.spread[0] / factor, axis.spread[1] / factor),
        )
        for axis in interval.axes
    )
    return replace(interval, axes=axes)


def _unknown(interval: Interval, way: Verdict) -> MoreSeeds | None:
    """The answer where the interval is unbounded and nothing can be computed."""
    if interval.is_bounded:
        return None
    if interval.rule == "none":
        return MoreSeeds(
            "nothing",
            None,
            None,
            way,
            "the measure's range, or test samples: without them runs in two groups bound nothing",
        )
    if interval.given:
        return MoreSeeds("samples", None, None, way, "more test samples: nothing shows how they vary")
    if interval.n == 1:
        return MoreSeeds("seeds", 5, None, way, "at least 5 more seeds: one seed shows no spread")
    if not interval.has_spread:
        return MoreSeeds(
            "seeds", 1, None, way, "more seeds or test samples: all differences so far are equal"
        )
    return MoreSeeds("samples", None, None, way, "more test samples, not seeds: one shows no spread")


def _seeds(low: int, high: int | None, way: Verdict) -> MoreSeeds:
    plural = "" if high == low == 1 else "s"
    text = f"{_span(str(low), None if high is None else str(high))} more seed{plural} would {_verb(way)} the claim"
    return MoreSeeds("seeds", low, high, way, _if_it_stays(text, str(low)))


def _if_it_stays(text: str, low: str) -> str:
    return f"{text} if the difference stays as measured ({low} is optimistic)"


def _verb(way: Verdict) -> str:
    return "support" if way == "supported" else "refute"


def _span(low: str | None, high: str | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"{low}" if low == high else f"{low} to {high}"


def _count(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _round_up(value: float) -> int:
    """Two digits, never less."""
    step = 10 ** max(0, math.floor(math.log10(max(1.0, value))) - 1)
    return int(math.ceil(value / step) * step)
