"""Judge one claim: paired differences, a smallest difference that matters, a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics import _explain
from gradlab.statistics._checks import Floats, check_count, check_delta, finite_values
from gradlab.statistics.contrast import difference
from gradlab.statistics.contrast_values import contrast_values
from gradlab.statistics.differences import Differences
from gradlab.statistics.interval import Interval, interval
from gradlab.statistics.judgement import Judgement
from gradlab.statistics.looks import alpha_at
from gradlab.statistics.more_seeds import more_seeds
from gradlab.statistics.sampled import Sampled
from gradlab.statistics.sign_flip import sign_flip, smallest_p
from gradlab.statistics.verdict import Verdict, verdict
from gradlab.types import UserError

Values: TypeAlias = ArrayLike | Sampled | Differences
Trained: TypeAlias = Mapping[str, ArrayLike] | Sequence[ArrayLike]
SIX_SEEDS = 6


def judge(
    a: Values,
    b: ArrayLike | Sampled | None = None,
    *,
    delta: float,
    level: float | None = None,
    alpha: float = 0.05,
    claims: int = 1,
    look: int = 1,
    trained: Trained | None = None,
    unit: str = "",
    given: bool = False,
) -> Judgement:
    """Judge whether a exceeds b by more than delta: supported, refuted, equivalent or inconclusive.

    The interval of the mean paired difference at level 1 - alpha_at(look, alpha) / claims decides (`verdict`).
    The exact sign-flip p-value stands beside it as a check, against the boundary that decides: +delta where
    supported, -delta where refuted, the one with the larger p-value where equivalent or where both are as near, the
    nearer one where inconclusive. It decides with the interval only where the interval cannot be trusted: where runs fall in two
    groups (some trained, some not), or all differences are equal, the verdict is inconclusive unless
    its p-value is at most 1 - level.

    Args:
        a: `Sampled` values; or plain ones, (n,) per seed, or (n, N) per seed and test sample (0/1 correctness);
            d itself where b is None, e.g. what `contrast_values` returns.
        b: the same seeds, and samples, of the other arm.
        delta: smallest difference that matters, > 0, in the measure's unit, fixed before the runs.
        level: level of the interval; None takes it from alpha, claims and look.
        alpha: error rate of the whole study, in (0, 1).
        claims: number of claims that the study makes (Bonferroni).
        look: 1 for the first verdict; one more each time seeds were added after a verdict was seen.
        trained: per arm, (n,) whether each run trained; a mapping names the arms in the flag.
        unit: unit of the measure, for the sentences.
        given: whether it is about one given network, a person's own: it has no seeds, repeated draws of an attack
            (the rows) are averaged, the test samples alone decide, and there is no sign-flip.

    Raises:
        UserError: unpaired or non-finite values, delta not positive, or a count, level or alpha out of range.

    >>> judge([0.94, 0.95, 0.94, 0.96], [0.88, 0.88, 0.89, 0.89], delta=0.01).verdict
    'supported'
    """
    check_delta(delta)
    level_now, level_next = _levels(level, alpha, claims, look)
    d = _paired(a, b)
    found = interval(d, level=level_now, given=given)
    by_rule = verdict(found.low, found.high, delta)
    groups = [] if given else _groups(trained, found.n)
    boundary, p_value = _sign_flip_against(d, found, by_rule, delta)
    untrusted = bool(groups) or not (found.has_spread or (given and _is_binary(found)))
    withheld = untrusted and by_rule != "inconclusive" and (given or p_value > 1 - level_now)
    final: Verdict = "inconclusive" if withheld else by_rule
    flags = (*groups, *found.flags, *(() if given else _small_n_flag(found.n)))
    more = more_seeds(found, delta, level_next, sign_flip=untrusted) if final == "inconclusive" else None
    explanation = (
        _explain.withheld(found, by_rule, p_value, unit, look, two_groups=bool(groups))
        if withheld
        else _explain.decided(found, final, delta, unit, look)
    )
    return Judgement(final, explanation, delta, unit, look, found, p_value, boundary, more, flags)


def _levels(level: float | None, alpha: float, claims: int, look: int) -> tuple[float, float]:
    """Level of this look's interval and of the next; a given level stays."""
    check_count(claims, "claims")
    now, following = (1 - alpha_at(j, alpha) / claims for j in (look, look + 1))
    return (now, following) if level is None else (level, level)


def _paired(a: Values, b: ArrayLike | Sampled | None) -> Floats | Sampled | Differences:
    if isinstance(a, Sampled | Differences):
        return a if b is None else _sampled_pair(a, b)
    if isinstance(b, Sampled):
        raise UserError("b is Sampled and a is not; give both as Sampled(values, axes), or neither.")
    first = finite_values(a, "a")
    if b is None:
        return first
    second = finite_values(b, "b")
    if first.shape != second.shape:
        raise UserError(
            f"a and b are compared seed by seed, so both need the same shape, got {first.shape} and "
            f"{second.shape}; give the same seeds (and test samples) of both, in one order."
        )
    return np.asarray(first - second, dtype=np.float64)


def _sampled_pair(a: Sampled | Differences, b: ArrayLike | Sampled) -> Differences:
    if not (isinstance(a, Sampled) and isinstance(b, Sampled)):
        raise UserError(
            "a and b must both be Sampled; what contrast_values returned is judged alone, without b."
        )
    return contrast_values(difference("a", "b"), {"a": a, "b": b})


def _is_binary(found: Interval) -> bool:
    return any(axis.is_binary for axis in found.axes)


def _groups(trained: Trained | None, n: int) -> list[str]:
    """One flag for every arm in which some runs trained and some did not."""
    if trained is None:
        return []
    named = trained if isinstance(trained, Mapping) else {f"arm {i}": arm for i, arm in enumerate(trained, 1)}
    flags = []
    for name, arm in named.items():
        states = np.asarray(arm)
        if states.shape != (n,) or not np.isin(states, (0, 1)).all():
            raise UserError(
                f"trained must hold one true or false per seed of {name!r}, expected {n}, got {arm!r:.60}."
            )
        count = int(states.sum())
        if 0 < count < n:
            flags.append(f"{count} of {n} runs of {name} trained: two groups")
    return flags


def _sign_flip_against(
    d: Floats | Sampled | Differences, found: Interval, by_rule: Verdict, delta: float
) -> tuple[float, float]:
    """Boundary and p-value of the sign-flip; beyond 20 seeds the random patterns are always the same ones."""
    estimate = found.estimate
    nearer = delta if estimate >= 0 else -delta
    if found.given:
        return nearer, math.nan
    values = d.values if isinstance(d, Sampled | Differences) else d
    boundaries = {
        "supported": (delta,),
        "refuted": (-delta,),
        "equivalent": (nearer, -nearer),
        "inconclusive": (nearer,) if estimate else (delta, -delta),
    }
    tested = [(x, sign_flip(values, x, generator=np.random.default_rng(0))) for x in boundaries[by_rule]]
    return max(tested, key=lambda pair: pair[1])


def _small_n_flag(n: int) -> list[str]:
    if n >= SIX_SEEDS:
        return []
    return [
        f"with {n} seed{'' if n == 1 else 's'} the sign-flip cannot reach 0.05 (at best {smallest_p(n):.2g})"
    ]
