"""Intervals of one proportion: k of n."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab._scipy import special
from gradlab.statistics._checks import check_count, check_level
from gradlab.types import UserError


@dataclass(frozen=True)
class Proportion:
    """k of n with its interval; `estimate`, `low` and `high` are fractions in [0, 1]."""

    k: int
    n: int
    estimate: float
    low: float
    high: float
    level: float


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Return k of n with its exact interval, which covers at least `level` for every true proportion.

    Used for counts of runs ("trained 4 of 6"), where n is small (Clopper and Pearson, 1934).

    Args:
        k: number of successes, 0 to n.
        n: number of independent trials, at least 1.
        level: coverage, in (0, 1).

    Raises:
        UserError: k outside 0..n, n below 1, level outside (0, 1).
    """
    _check(k, n, level)
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1 - tail))
    return Proportion(int(k), int(n), k / n, low, high, level)


def wilson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Return k of n with Wilson's score interval, for a share of test images of one model.

    n counts independent images: predictions of several seeds on one image are never several images.
    (Wilson, 1927, doi:10.1080/01621459.1927.10502953.)

    Args:
        k: number of successes, 0 to n.
        n: number of independent images, at least 1.
        level: coverage, in (0, 1).

    Raises:
        UserError: k outside 0..n, n below 1, level outside (0, 1).
    """
    _check(k, n, level)
    z = float(special.ndtri(0.5 + level / 2))
    share, weight = k / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z * ((share * (1 - share) + weight / 4) / n) ** 0.5 / (1 + weight)
    low = 0.0 if k == 0 else centre - half
    high = 1.0 if k == n else centre + half
    return Proportion(int(k), int(n), share, low, high, level)


def _check(k: int, n: int, level: float) -> None:
    check_count(n, "n")
    check_level(level)
    if k != int(k) or not 0 <= k <= n:
        raise UserError(f"k of n needs a whole number k from 0 to n, got k = {k} and n = {n}.")
