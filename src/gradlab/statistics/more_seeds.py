"""How many more seeds an open verdict needs, as a range."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from scipy.special import chdtri

from gradlab.statistics._samples import reach
from gradlab.statistics.interval import Interval
from gradlab.statistics.sign_flip import smallest_p
from gradlab.statistics.verdict import verdict

CAP = 1000
SD_CONFIDENCE = 0.8


@dataclass(frozen=True)
class MoreSeeds:
    """What would settle an open verdict, should the estimate stay where it is.

    `kind`: "seeds" (from `low` to `high` more; `high` None where no upper bound is known), "samples" (the test
    samples alone keep it open) or "nothing" (the estimate sits on a boundary).
    """

    kind: Literal["seeds", "samples", "nothing"]
    low: int | None
    high: int | None
    text: str


def more_seeds(interval: Interval, delta: float, next_level: float, *, sign_flip: bool = False) -> MoreSeeds:
    """Return how many seeds would move the boundaries out of the interval, if the estimate stays.

    The low end takes the seed SD as estimated, the high end its upper 80 % confidence bound (Browne, 1995,
    doi:10.1002/sim.4780141709). The interval is the next look's, so that looking again is paid for.

    Args:
        interval: the interval that left the verdict open.
        delta: the smallest difference that matters, > 0.
        next_level: level of the interval at the next look, in (0, 1).
        sign_flip: whether the verdict also waits for the exact sign-flip to reach 1 - next_level.
    """
    if interval.given:
        text = "more test samples: a given network has no seeds"
        return MoreSeeds("samples", None, None, text)
    if interval.n == 1:
        return MoreSeeds("seeds", 5, None, "at least 5 more seeds: one seed shows no spread")
    if not interval.is_bounded:
        return MoreSeeds(
            "samples", None, None, "more test samples, not seeds: one test sample shows no spread"
        )
    waiting = max(0, _sign_flip_needs(1 - next_level) - interval.n) if sign_flip else 0
    is_open = verdict(interval.low, interval.high, delta) == "inconclusive"
    if not interval.has_spread and waiting and not is_open:
        return _at_least(waiting)
    distance = abs(abs(interval.estimate) - delta)
    by_samples = _ends(interval, 0.0, interval.n, next_level)
    is_open_by_samples = not _decides(interval, delta, by_samples) and distance > 1e-3 * delta
    if interval.samples is not None and is_open_by_samples:
        return _more_samples(interval, max(by_samples))
    inflation = (interval.n - 1) / float(chdtri(interval.n - 1, SD_CONFIDENCE))
    low = _needed(interval, 1.0, delta, next_level)
    if low is None or distance <= 1e-9 * delta:
        text = f"no practical number of seeds settles it: the estimate sits at the boundary {delta:g}"
        return MoreSeeds("nothing", None, None, text)
    found = _range(low, _needed(interval, inflation, delta, next_level))
    return found if waiting <= low else _at_least(waiting)


def _needed(interval: Interval, inflation: float, delta: float, level: float) -> int | None:
    """Smallest number of further seeds whose interval decides; None beyond the cap."""

    def settles(more: int) -> bool:
        n = interval.n + more
        return _decides(
            interval, delta, _ends(interval, inflation * interval.seed_variance * interval.n / n, n, level)
        )

    if not settles(CAP):
        return None
    return bisect_left(range(1, CAP + 1), True, key=settles) + 1  # more seeds only shorten it


def _ends(interval: Interval, seed_variance: float, n: int, level: float) -> tuple[float, float]:
    """How far the interval would reach below and above the estimate."""
    below, above = (reach(seed_variance, interval.axes, n, level, side) for side in (0, 1))
    return below, above


def _decides(interval: Interval, delta: float, ends: tuple[float, float]) -> bool:
    below, above = ends
    return verdict(interval.estimate - below, interval.estimate + above, delta) != "inconclusive"


def _more_samples(interval: Interval, half: float) -> MoreSeeds:
    text = f"more test samples, not seeds: the {interval.samples} samples alone leave ±{half:.2g} open"
    return MoreSeeds("samples", None, None, text)


def _sign_flip_needs(alpha: float) -> int:
    n = 1
    while smallest_p(n) > alpha:
        n += 1
    return n


def _at_least(count: int) -> MoreSeeds:
    plural = "" if count == 1 else "s"
    return MoreSeeds("seeds", count, None, f"at least {count} more seed{plural}")


def _range(low: int, high: int | None) -> MoreSeeds:
    if high is None:
        return MoreSeeds("seeds", low, None, f"{low} to more than {CAP:,} more seeds")
    if low == high:
        return MoreSeeds("seeds", low, high, f"{low} more seed{'' if low == 1 else 's'}")
    return MoreSeeds("seeds", low, high, f"{low} to {high} more seeds")
