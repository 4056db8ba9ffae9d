"""Judge one claim: paired differences, the region that it names, a verdict."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics import _explain
from gradlab.statistics._arms import Learned, Range, States, Values, paired, states
from gradlab.statistics._checks import Floats, check_count, check_delta
from gradlab.statistics._flags import group_flags, outlier_flag, small_n_flag
from gradlab.statistics._two_groups import mixed_arms, two_groups
from gradlab.statistics.differences import Differences
from gradlab.statistics.interval import Interval, interval
from gradlab.statistics.judgement import Judgement
from gradlab.statistics.looks import alpha_at
from gradlab.statistics.more_seeds import Ends, more_seeds
from gradlab.statistics.reading import Better, reading
from gradlab.statistics.sampled import Sampled
from gradlab.statistics.sign_flip import sign_flip
from gradlab.statistics.verdict import Kind, boundaries, verdict


def judge(
    a: Values,
    b: ArrayLike | Sampled | None = None,
    *,
    kind: Kind = "more",
    delta: float,
    level: float | None = None,
    alpha: float = 0.05,
    claims: int = 1,
    look: int = 1,
    learned: Learned | None = None,
    unit: str = "",
    better: Better = "higher",
    range: Range | None = None,  # noqa: A002 - as in Sampled
    given: bool = False,
) -> Judgement:
    """Judge a claim about d = a - b: supported, refuted or open.

    The claim's kind names a region: "more" is d > delta, "same" is |d| < delta, "not less" is d > -delta. The interval
    of the mean paired difference at level 1 - alpha_at(look, alpha) / claims decides (`verdict`): wholly inside
    is supported, wholly outside refuted, across a boundary open. Where runs of an arm fall in two groups (some
    learned, some did not), it is the bound of `two_groups`, which holds for any distribution in the measure's
    range. All differences equal: over binary samples the score bound decides, else the claim is open. The exact
    sign-flip p-value stands beside it, against the boundary that decides, and decides nothing.

    Args:
        a: `Sampled` values; or plain ones, (n,) per seed, or (n, N) per seed and test sample (0/1 correctness);
            d itself where b is None, e.g. what `contrast_values` returns.
        b: the same seeds, and samples, of the other arm.
        kind: what the claim says.
        delta: smallest difference that matters, > 0, in the measure's unit, fixed before the runs.
        level: level of the interval; None takes it from alpha, claims and look.
        alpha: error rate of the whole study, in (0, 1).
        claims: the most claims that this one was ever judged among (Bonferroni).
        look: 1 for the first verdict; one more each time seeds were added after a verdict was seen, whatever became of
            delta in between.
        learned: per arm, (n,) whether each run learned; a mapping names the arms.
        unit: unit of the measure, for the sentences: "fraction" is read in percentage points, "decades" as tenfold.
        better: whether a "higher" or a "lower" value is better, for the reading; "neither" where none is.
        range: least and greatest value of the measure of one arm, where a and b are plain, e.g. (0, 1).
        given: whether it is about one given network, a person's own: it has no seeds, repeated draws of an attack
            (the rows) are averaged, the test samples alone decide, and there is no sign-flip.

    Raises:
        UserError: unpaired or non-finite values, delta not positive, or a count, level, kind or alpha out of range.

    >>> judge([0.94, 0.95, 0.94, 0.96], [0.88, 0.88, 0.89, 0.89], delta=0.01).verdict
    'supported'
    """
    check_delta(delta)
    level_now, level_next = _levels(level, alpha, claims, look)
    d = paired(a, b, range, learned)
    normal = interval(d, level=level_now, given=given)
    runs = {} if given else states(d, learned, normal.n)
    found, ends = _bounded(d, normal, mixed_arms(runs))
    final = verdict(found.low, found.high, delta, kind)
    boundary, p_value = _sign_flip_against(d, found, delta, kind)
    values = d.values if isinstance(d, Differences) else _by_seed(d)
    flags = (
        []
        if given
        else [*group_flags(d, values, runs, unit), *outlier_flag(values, runs), *small_n_flag(found.n)]
    )
    return Judgement(
        kind=kind,
        verdict=final,
        reading=reading(found.low, found.high, delta, unit, better),
        explanation=_explain.explained(found, final, delta, kind, unit, look),
        delta=delta,
        unit=unit,
        look=look,
        interval=found,
        sign_flip=p_value,
        sign_flip_boundary=boundary,
        more_seeds=more_seeds(found, delta, level_next, kind, ends=ends) if final == "open" else None,
        flags=(*found.flags, *flags),
        learned={arm: (int(each.sum()), each.size) for arm, each in runs.items()},
        among_learned=_among_learned(values, runs),
    )


def _levels(level: float | None, alpha: float, claims: int, look: int) -> tuple[float, float]:
    """Level of this look's interval and of the next; a given level stays."""
    check_count(claims, "claims")
    now, following = (1 - alpha_at(j, alpha) / claims for j in (look, look + 1))
    return (now, following) if level is None else (level, level)


def _bounded(
    d: Floats | Differences, found: Interval, mixed: tuple[str, ...]
) -> tuple[Interval, Ends | None]:
    """The interval that decides, and how it would change with more seeds; None: as the normal one does."""
    in_contrast = tuple(arm for arm in mixed if isinstance(d, Differences) and arm in d.arms)
    if mixed and not isinstance(d, Differences):
        return replace(found, low=-math.inf, high=math.inf, rule="none"), None
    if not in_contrast:
        shows = found.has_spread or any(axis.is_binary for axis in found.axes)
        return found if shows else replace(found, low=-math.inf, high=math.inf), None
    assert isinstance(d, Differences)
    bound = two_groups(d, in_contrast, found)
    if bound is None:
        return replace(found, low=-math.inf, high=math.inf, rule="none"), None
    differences = d

    def ends(like: Interval, n: int, inflation: float) -> tuple[float, float]:
        one = two_groups(differences, in_contrast, like, n=n, inflation=inflation)
        return (-math.inf, math.inf) if one is None else (one.low, one.high)

    return bound, ends


def _by_seed(d: Floats) -> Floats:
    return d if d.ndim == 1 else np.asarray(d.mean(axis=1), dtype=np.float64)


def _among_learned(values: Floats, runs: States) -> float | None:
    """Mean difference over the seeds in which every run learned; None where none, or nothing was said."""
    if not runs:
        return None
    every = np.all(list(runs.values()), axis=0)
    return float(values[every].mean()) if every.any() else None


def _sign_flip_against(
    d: Floats | Differences, found: Interval, delta: float, kind: Kind
) -> tuple[float, float]:
    """Boundary and p-value of the sign-flip; beyond 20 seeds the random patterns are always the same ones.

    Of two boundaries it is the nearer one, or inside both of them the one with the larger p-value.
    """
    ends = boundaries(delta, kind)
    nearer = min(ends, key=lambda end: abs(found.estimate - end))
    if found.given:
        return nearer, math.nan
    values = d.values if isinstance(d, Differences) else d
    both = ends if abs(found.estimate) < delta else (nearer,)
    tested = [(end, sign_flip(values, end, generator=np.random.default_rng(0))) for end in both]
    return max(tested, key=lambda pair: pair[1])
