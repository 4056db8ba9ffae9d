"""Bring what a caller gives into differences whose arms are known, where they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlab.statistics._checks import Floats, finite_values
from gradlab.statistics.contrast import Contrast
from gradlab.statistics.contrast_values import contrast_values
from gradlab.statistics.differences import Differences
from gradlab.statistics.sampled import Sampled
from gradlab.types import UserError

Values: TypeAlias = ArrayLike | Sampled | Differences
Learned: TypeAlias = Mapping[str, ArrayLike] | Sequence[ArrayLike]
Range: TypeAlias = tuple[float, float]
States: TypeAlias = Mapping[str, NDArray[np.bool_]]


def paired(
    a: Values, b: ArrayLike | Sampled | None, range_: Range | None, learned: Learned | None
) -> Floats | Differences:
    """Return d = a - b with its arms, or as plain numbers where b is None and a is plain.

    Arms that have no name of their own take those of `learned`, else "a" and "b".
    """
    if isinstance(a, Differences):
        if b is not None:
            raise UserError("what contrast_values returned holds both arms; judge it alone, without b.")
        return a
    if isinstance(a, Sampled) != isinstance(b, Sampled) and b is not None:
        raise UserError("a and b must both be Sampled(values, axes), or both be plain numbers.")
    if b is None and not isinstance(a, Sampled):
        return finite_values(a, "a")
    if b is not None and not isinstance(b, Sampled) and not isinstance(a, Sampled):
        _check_shapes(finite_values(a, "a"), finite_values(b, "b"))
    given = [_sampled(one, range_) for one in (a, b) if one is not None]
    arms = dict(zip(_names(learned, len(given)), given, strict=True))
    return contrast_values(Contrast(dict(zip(arms, (1.0, -1.0), strict=False))), arms)


def states(d: Floats | Differences, learned: Learned | None, n: int) -> States:
    """Return for each arm whether its runs learned, (n,); empty where nothing was said."""
    if learned is None:
        return {}
    names = list(d.arms) if isinstance(d, Differences) else [f"arm {k}" for k in range(1, len(learned) + 1)]
    if not isinstance(learned, Mapping) and isinstance(d, Differences) and len(learned) != len(names):
        raise UserError(f"learned must hold one sequence per arm of {names}, got {len(learned)}.")
    named = learned if isinstance(learned, Mapping) else dict(zip(names, learned, strict=True))
    return {name: _checked(name, arm, n) for name, arm in named.items()}


def _checked(name: str, arm: ArrayLike, n: int) -> NDArray[np.bool_]:
    each = np.asarray(arm)
    if each.shape != (n,) or not np.isin(each, (0, 1)).all():
        raise UserError(
            f"learned must hold one true or false per seed of {name!r}, expected {n}, got {arm!r:.60}."
        )
    return each.astype(np.bool_)


def _names(learned: Learned | None, count: int) -> list[str]:
    if isinstance(learned, Mapping) and len(learned) == count:
        return list(learned)
    return ["a", "b"][:count]


def _sampled(one: Values, range_: Range | None) -> Sampled:
    """Plain numbers as an arm: two-dimensional zeros and ones are correctness."""
    if isinstance(one, Sampled):
        return one
    assert not isinstance(one, Differences)  # refused at the door
    values = finite_values(one, "values")
    if values.ndim == 1:
        return Sampled(values, range=range_)
    binary = bool(np.isin(values, (0, 1)).all())
    return Sampled(values.mean(axis=1), {"test samples": values}, (0.0, 1.0) if binary else range_, binary)


def _check_shapes(a: Floats, b: Floats) -> None:
    if a.shape != b.shape:
        raise UserError(
            f"a and b are compared seed by seed, so both need the same shape, got {a.shape} and "
            f"{b.shape}; give the same seeds (and test samples) of both, in one order."
        )
