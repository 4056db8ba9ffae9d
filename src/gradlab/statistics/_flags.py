"""What a reader must know beside a verdict, one sentence each."""

from __future__ import annotations

import numpy as np

from gradlab.statistics._arms import States
from gradlab.statistics._checks import Floats
from gradlab.statistics._words import with_unit
from gradlab.statistics.differences import Differences
from gradlab.statistics.outlying_seed import outlying_seed
from gradlab.statistics.sign_flip import smallest_p

SIX_SEEDS = 6


def group_flags(d: Floats | Differences, values: Floats, learned: States, unit: str) -> list[str]:
    """Say of which arms some runs learned and some did not, and the difference among those that did."""
    mixed = {arm: runs for arm, runs in learned.items() if runs.any() and not runs.all()}
    flags = [
        f"{int(runs.sum())} of {runs.size} runs of {arm} learned: two groups" for arm, runs in mixed.items()
    ]
    every = np.all(list(learned.values()), axis=0) if learned else np.zeros(0, dtype=bool)
    if mixed and every.any():
        count = int(every.sum())
        seeds = "the one seed" if count == 1 else f"the {count} seeds"
        flags.append(
            f"in {seeds} where every run learned the difference is {with_unit(float(values[every].mean()), unit)}"
        )
    if mixed and not isinstance(d, Differences):
        flags.append(
            "the bound for two groups needs the arms' own values: give a and b, or what contrast_values returns"
        )
    return flags


def outlier_flag(values: Floats, learned: States) -> list[str]:
    """Say that one seed lies far from the others; runs in two groups have their own flag."""
    if any(runs.any() and not runs.all() for runs in learned.values()):
        return []
    place = outlying_seed(values)
    if place is None:
        return []
    return [
        f"seed {place + 1} of {values.size} lies far from the others ({values[place]:.4g}, the others' mean "
        f"{np.delete(values, place).mean():.4g}): no interval of {values.size} seeds allows for such a seed"
    ]


def small_n_flag(n: int) -> list[str]:
    """Say that the sign-flip cannot reach 0.05 with so few seeds."""
    if n >= SIX_SEEDS:
        return []
    return [
        f"with {n} seed{'' if n == 1 else 's'} the sign-flip cannot reach 0.05 (at best {smallest_p(n):.2g})"
    ]
