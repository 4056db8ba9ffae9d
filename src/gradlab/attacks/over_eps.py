"""One attack at several radii."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gradlab._torch import torch
from gradlab.attacks._ball import check_radius
from gradlab.attacks._closest import MinimumNorm
from gradlab.attacks.found import Found
from gradlab.attacks.registry import Attack
from gradlab.types import UserError

AttackT = TypeVar("AttackT", bound=Attack)


def over_eps(attack: AttackT, eps: Sequence[float]) -> dict[float, AttackT]:
    """Return the attack at each radius, all else equal; give each its own generator of the same seed.

    >>> from gradlab.attacks import FGSM
    >>> list(over_eps(FGSM(), (0, 0.1)).values())
    [FGSM(kind='fgsm', eps=0.0), FGSM(kind='fgsm', eps=0.1)]

    Args:
        attack: a configuration. A step size of its own stays; PGD without one follows the radius.
        eps: radii of the attack's norm on the [0, 1] pixel scale, each once.

    Raises:
        UserError: no radius, one that is there twice, or one that is none.
    """
    radii = [float(check_radius(one, attack.norm)) for one in eps]
    if not radii or len(set(radii)) < len(radii):
        raise UserError(f"eps needs one or more different radii, such as (2/255, 8/255), got {tuple(eps)}.")
    return {one: replace(attack, eps=one) for one in radii}


def explore_over_eps(
    attack: Attack,
    eps: Sequence[float],
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> dict[float, Found]:
    """Attack images within several radii, by the same random numbers for each.

    Minimum-norm attacks search once, and each radius takes from it what lies within: the queries of all are those of one.

    Args:
        attack, eps: as of `over_eps`. model, images, labels, targets, generator: as of the attack.
    """
    attacks = over_eps(attack, eps)
    if isinstance(attack, MinimumNorm):
        closest = attack.closest(model, images, labels, targets=targets)
        return {one: closest.found(one) for one in attacks}
    generator = generator or torch.Generator().manual_seed(0)
    first = generator.get_state()
    found = {}
    for one, at in attacks.items():
        generator.set_state(first)
        found[one] = at.explore(model, images, labels, targets=targets, generator=generator)
    return found
