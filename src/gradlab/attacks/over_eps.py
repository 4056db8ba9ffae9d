"""One attack at several radii."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gradlab.attacks.registry import Attack
from gradlab.types import UserError, check_pixels

AttackT = TypeVar("AttackT", bound=Attack)


def over_eps(attack: AttackT, eps: Sequence[float]) -> dict[float, AttackT]:
    """Return the attack at each radius, all else equal; give each its own generator of the same seed.

    >>> from gradlab.attacks import FGSM
    >>> list(over_eps(FGSM(), (0, 0.1)).values())
    [FGSM(kind='fgsm', eps=0.0), FGSM(kind='fgsm', eps=0.1)]

    Args:
        attack: a configuration. A step size of its own stays; PGD without one follows the radius.
        eps: radii on the [0, 1] pixel scale, each once.

    Raises:
        UserError: no radius, one that is there twice, or one outside [0, 1].
    """
    radii = [float(check_pixels(one)) for one in eps]
    if not radii or len(set(radii)) < len(radii):
        raise UserError(f"eps needs one or more different radii, such as (2/255, 8/255), got {tuple(eps)}.")
    return {one: replace(attack, eps=one) for one in radii}
