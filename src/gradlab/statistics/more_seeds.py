"""How many more seeds an open verdict needs, as a range."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from scipy.special import chdtri, stdtrit

from gradlab.statistics.interval import Interval, half_width
from gradlab.statistics.sign_flip import smallest_p

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
    """Return how many seeds would move the nearest boundary out of the interval, if the estimate stays.

    The low end takes the seed SD as estimated, the high end its upper 80 % confidence bound (Browne, 1995,
    doi:10.1002/sim.4780141709). The interval is the next look's, so that looking again is paid for.

    Args:
        interval: the interval that left the verdict open.
        delta: the smallest difference that matters, > 0.
        next_level: level of the interval at the next look, in (0, 1).
        sign_flip: whether the verdict also waits for the exact sign-flip to reach 1 - next_level.
    """
    if interval.n == 1:
        return MoreSeeds("seeds", 5, None, "at least 5 more seeds: one seed shows no spread")
    waiting = max(0, _sign_flip_needs(1 - next_level) - interval.n) if sign_flip else 0
    if not interval.has_spread and waiting:
        return _at_least(waiting)
    distance = abs(abs(interval.estimate) - delta)
    open_by_samples = _sample_half_width(interval, next_level)
    if open_by_samples >= distance > 1e-3 * delta or interval.is_widened:
        return _more_samples(interval, open_by_samples)
    inflation = (interval.n - 1) / float(chdtri(interval.n - 1, SD_CONFIDENCE))
    low = _needed(interval, 1.0, distance, next_level)
    if low is None or distance <= 1e-9 * delta:
        text = f"no practical number of seeds settles it: the estimate sits at the boundary {delta:g}"
        return MoreSeeds("nothing", None, None, text)
    found = _range(low, _needed(interval, inflation, distance, next_level))
    return found if waiting <= low else _at_least(waiting)


def _needed(interval: Interval, inflation: float, distance: float, level: float) -> int | None:
    """Smallest number of further seeds whose interval is shorter than `distance`; None beyond the cap."""

    def settles(more: int) -> bool:
        n = interval.n + more
        seed_variance = inflation * interval.seed_variance * interval.n / n
        return half_width(seed_variance, interval.sample_variance, n, interval.samples, level) < distance

    if not settles(CAP):
        return None
    return bisect_left(range(1, CAP + 1), True, key=settles) + 1  # more seeds only shorten it


def _sample_half_width(interval: Interval, level: float) -> float:
    """Half-width that stays however many seeds are run."""
    if interval.samples is None:
        return 0.0
    return float(stdtrit(interval.samples - 1, 0.5 + level / 2)) * math.sqrt(interval.sample_variance)


def _more_samples(interval: Interval, open_by_samples: float) -> MoreSeeds:
    half = max(open_by_samples, (interval.high - interval.low) / 2 if interval.is_widened else 0.0)
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
