"""The exact sign-flip test of paired differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import Floats, check_count, finite_values
from gradlab.types import UserError

EXACT_UP_TO = 20
_CHUNK = 2048


def sign_flip(
    d: ArrayLike, boundary: float = 0.0, *, generator: np.random.Generator | None = None, draws: int = 100_000
) -> float:
    """Return the two-sided p-value of "d is symmetric around `boundary`", by flipping signs.

    Up to 20 seeds all 2^n sign patterns are counted, which is exact. Beyond, `draws` random patterns are, and
    the p-value is (1 + hits) / (1 + draws) (Phipson and Smyth, 2010, doi:10.2202/1544-6115.1585).

    Args:
        d: (n,) paired differences, one per seed; (n, N) values are averaged over the test samples first.
        boundary: the difference tested.
        generator: source of the random patterns; needed beyond 20 seeds only.
        draws: number of random patterns.

    Returns: p-value in (0, 1].

    Raises:
        UserError: no finite values, or more than 20 seeds and no generator.
    """
    check_count(draws, "draws")
    values = finite_values(d, "d")
    centred = (values if values.ndim == 1 else values.mean(axis=1)) - boundary
    # A pattern that only rounding sets apart from the observed one counts as equal to it.
    threshold = abs(centred.sum()) - 1e-12 * max(np.abs(centred).sum(), abs(boundary))
    if centred.size <= EXACT_UP_TO:
        return float(np.mean(np.abs(_all_sums(centred)) >= threshold))
    if generator is None:
        raise UserError(
            f"beyond {EXACT_UP_TO} seeds the sign-flip test draws patterns at random, got {centred.size} seeds; "
            "give generator=numpy.random.default_rng(0)."
        )
    hits = sum(
        int(np.sum(np.abs(_random_sums(centred, min(_CHUNK, draws - done), generator)) >= threshold))
        for done in range(0, draws, _CHUNK)
    )
    return (1 + hits) / (1 + draws)


def smallest_p(n: int) -> float:
    """Return the smallest p-value that the exact two-sided sign-flip of n seeds can reach, 2^(1-n).

    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    check_count(n, "n")
    return float(0.5 ** (n - 1))


def _all_sums(values: Floats) -> Floats:
    """Sums under all sign patterns whose first sign is plus: (2^(n-1),); the others are their mirror."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def _random_sums(values: Floats, count: int, generator: np.random.Generator) -> Floats:
    signs = generator.integers(0, 2, size=(count, values.size)) * 2 - 1
    return np.asarray(signs @ values, dtype=np.float64)
