"""Plan a comparison: which effect n seeds can show, or how many seeds an effect needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradlab._scipy import special
from gradlab.statistics._checks import check_count, check_delta, check_level
from gradlab.statistics._plan_text import plan_text
from gradlab.statistics.looks import alpha_at
from gradlab.statistics.verdict import KINDS, Kind, is_inside
from gradlab.types import UserError

MOST_SEEDS = 10_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)


@dataclass(frozen=True)
class Plan:
    """The answer for the low and the high end of the assumed SDs (the same twice where one was given of each).

    `effect` is the true difference, `power` the probability that the verdict is "supported" in all `parts` when
    it is so large in each; `seeds` is None where no number of seeds reaches the wanted power, `effect` where no true
    difference does.
    """

    kind: Kind
    delta: float
    level: float
    sd: tuple[float, float]
    seeds: tuple[int | None, int | None]
    effect: tuple[float | None, float | None]
    power: tuple[float, float]
    sample_sd: tuple[float, float] | None
    samples: int | None
    parts: int
    text: str


@dataclass(frozen=True)
class _Design:
    """What the power depends on beside effect and seeds; `floor` is the sample variance of the mean."""

    kind: Kind
    delta: float
    level: float
    floor: float
    samples: int | None
    parts: int


@dataclass(frozen=True)
class _Answer:
    seeds: int | None
    effect: float | None
    power: float


def plan(
    *,
    sd: float | tuple[float, float],
    delta: float = 0.0,
    kind: Kind = "more",
    effect: float | None = None,
    seeds: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    claims: int = 1,
    look: int = 1,
    sample_sd: float | tuple[float, float] | None = None,
    samples: int | None = None,
    parts: int = 1,
) -> Plan:
    """Plan paired seeds so that the verdict is "supported" with probability `power`.

    Given `seeds`: the true difference that they show: the smallest for "more" and "not less" (which may be
    negative, above -delta), the largest, either way, for "same". Given `effect`: the seeds that it needs. Given
    both: the power. Power is P(L > delta), P(-delta < L and U < delta) or P(L > -delta) of `interval` at level
    1 - alpha_at(look, alpha) / claims: by the noncentral t distribution, and for "same" and with test samples by
    integrating over the distribution of the seed variance; it counts on the normal interval, so skewed samples
    take a little more than planned.

    Args:
        sd: SD over seeds of the paired difference, or (low, high) where it is an assumption, or an estimate from
            a few earlier seeds: that of six is off by a factor of 0.6 to 2.5 at 95 %.
        delta: smallest difference that matters, >= 0; above 0 but for "more".
        kind: what the claim says, as in `judge`.
        effect: true difference, inside the region that the claim names. Of "more" a negative one is planned as its
            mirror image.
        seeds: number of paired seeds, at least 2.
        power: wanted probability, in (0, 1).
        alpha: error rate of the whole study, in (0, 1).
        claims: number of claims of the study.
        look: number of the look that decides.
        sample_sd: SD over test samples of the seed-averaged paired difference, or (low, high); needs `samples`.
        samples: number of test samples, at least 2.
        parts: number of parts of a claim that must hold in every one (`judge_every`), all with these SDs and this
            effect. Each is planned at power ** (1 / parts): exact where the parts are independent; parts that
            go together, as those on the same seeds and images do, reach at least the power.

    Raises:
        UserError: neither seeds nor effect, an effect outside the claim's region, or an argument out of range.
    """
    spread = _check_range("sd", sd)
    true = abs(effect) if effect is not None and kind != "not less" else effect
    _check_numbers(delta, kind, power, seeds, true)
    check_count(claims, "claims")
    check_count(parts, "parts")
    by_sample = _check_samples(sample_sd, samples)
    level = 1 - alpha_at(look, alpha) / claims
    floors = (0.0, 0.0) if by_sample is None or samples is None else [one**2 / samples for one in by_sample]
    low, high = (
        _solve(_Design(kind, delta, level, floor, samples, parts), one, true, seeds, power)
        for one, floor in zip(spread, floors, strict=True)
    )
    return Plan(
        kind=kind,
        delta=delta,
        level=level,
        sd=spread,
        seeds=(low.seeds, high.seeds),
        effect=(low.effect, high.effect),
        power=(low.power, high.power),
        sample_sd=by_sample,
        samples=samples,
        parts=parts,
        text=plan_text(low, high, kind, delta, level, parts),
    )


def _solve(design: _Design, sd: float, effect: float | None, seeds: int | None, power: float) -> _Answer:
    of_one = power ** (1 / design.parts)
    if effect is None:
        assert seeds is not None  # checked at the door
        shown = (
            _provable(design, sd, seeds, of_one)
            if design.kind == "same"
            else _detectable(design, sd, seeds, of_one)
        )
        reached = power if shown is not None else _power(design, sd, seeds, 0.0) ** design.parts
        return _Answer(seeds, shown, reached)
    n = seeds if seeds is not None else _needed(design, sd, effect, of_one)
    reached = _power(design, sd, MOST_SEEDS if n is None else n, effect) ** design.parts
    return _Answer(n, effect, reached)


def _power(design: _Design, sd: float, n: int, effect: float) -> float:
    """P(supported) of one part at the true difference `effect`."""
    excess, seed_variance = effect - _boundary(design), sd**2 / n
    t_seeds = float(special.stdtrit(n - 1, 0.5 + design.level / 2))
    if design.kind != "same" and (design.samples is None or design.floor == 0):
        return 1 - float(special.nctdtr(n - 1, excess / math.sqrt(seed_variance), t_seeds))
    t_samples = (
        0.0 if design.samples is None else float(special.stdtrit(design.samples - 1, 0.5 + design.level / 2))
    )
    # The seed variance is a scaled chi-square: integrate the normal power over its quantiles.
    estimated = seed_variance * special.chdtri(n - 1, (1 - _NODES) / 2) / (n - 1)
    half = np.sqrt(t_seeds**2 * estimated + t_samples**2 * design.floor)
    scale = math.sqrt(seed_variance + design.floor)
    if design.kind != "same":
        return float(_WEIGHTS / 2 @ special.ndtr((excess - half) / scale))
    inside = special.ndtr((design.delta - half - effect) / scale) - special.ndtr(
        (half - design.delta - effect) / scale
    )
    return float(_WEIGHTS / 2 @ np.maximum(inside, 0))


def _boundary(design: _Design) -> float:
    """The end of the claim's region that the lower end of the interval must pass."""
    return design.delta if design.kind == "more" else -design.delta


def _detectable(design: _Design, sd: float, n: int, power: float) -> float:
    """Smallest true difference whose power is `power`."""
    low, reach = _boundary(design), math.sqrt(sd**2 / n + design.floor)
    while _power(design, sd, n, low + reach) < power:
        reach *= 2
    high = low + reach
    for _ in range(60):  # bisection, to the last digits
        middle = (low + high) / 2
        low, high = (low, middle) if _power(design, sd, n, middle) >= power else (middle, high)
    return high


def _provable(design: _Design, sd: float, n: int, power: float) -> float | None:
    """Largest true difference, either way, that is shown to be the same; None where not even 0 is."""
    if _power(design, sd, n, 0.0) < power:
        return None
    low, high = 0.0, design.delta
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _power(design, sd, n, middle) >= power else (low, middle)
    return low


def _needed(design: _Design, sd: float, effect: float, power: float) -> int | None:
    """Smallest number of seeds whose power is at least `power`; None beyond the most that are looked at."""
    low, high = 1, 2
    while _power(design, sd, high, effect) < power:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(design, sd, middle, effect) >= power else (middle, high)
    return high


def _check_range(name: str, sd: float | tuple[float, float]) -> tuple[float, float]:
    low, high = sd if isinstance(sd, tuple) else (sd, sd)
    if not 0 < low <= high < math.inf:
        raise UserError(f"{name} must be a positive number, or (low, high) with low <= high, got {sd}.")
    return float(low), float(high)


def _check_numbers(delta: float, kind: Kind, power: float, seeds: int | None, effect: float | None) -> None:
    check_level(power, "power")
    if not 0 <= delta < math.inf:
        raise UserError(f"delta must be 0 or a positive number, got {delta:g}.")
    if seeds is None and effect is None:
        raise UserError("a plan needs seeds (what can they show?) or effect (how many seeds?), got neither.")
    if seeds is not None and (seeds != int(seeds) or seeds < 2):
        raise UserError(f"seeds must be a whole number, at least 2, got {seeds}: one seed shows no spread.")
    if kind not in KINDS:
        raise UserError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}.")
    if kind != "more":
        check_delta(delta)
    if effect is not None and not math.isfinite(effect):
        raise UserError(f"effect must be a finite number, got {effect:g}.")
    if effect is not None and seeds is None and not is_inside(effect, delta, kind):
        where = {
            "more": f"above delta = {delta:g}",
            "same": f"within {delta:g}",
            "not less": f"above {-delta:g}",
        }[kind]
        advice = "smaller" if kind == "same" else "larger"
        raise UserError(
            f"no number of seeds shows an effect of {effect:g} to be {where}; give a {advice} effect."
        )


def _check_samples(
    sample_sd: float | tuple[float, float] | None, samples: int | None
) -> tuple[float, float] | None:
    """SD over the samples: its variance of the mean is what no number of seeds shrinks."""
    if sample_sd is None and samples is None:
        return None
    if sample_sd is None or samples is None or samples < 2:
        raise UserError(
            "the test samples enter as sample_sd (at least 0) and samples (at least 2) together, "
            f"got sample_sd {sample_sd} and samples {samples}."
        )
    return (0.0, 0.0) if sample_sd == 0 else _check_range("sample_sd", sample_sd)
