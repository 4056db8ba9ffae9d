"""One attack at several radii."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gradlab._torch import torch
from gradlab.attacks._checks import stream_of
from gradlab.attacks._closest import MinimumNorm
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.registry import Attack
from gradlab.types import UserError

AttackT = TypeVar("AttackT", bound=Attack)


def over_eps(attack: AttackT, eps: float | str | Sequence[float | str]) -> dict[float, AttackT]:
    """Return the attack at each radius, all else equal; give each its own generator of the same seed.

    >>> from gradlab.attacks import FGSM
    >>> list(over_eps(FGSM(), (0, 0.1)).values())
    [FGSM(kind='fgsm', eps=0.0), FGSM(kind='fgsm', eps=0.1)]

    Args:
        attack: a configuration. A step size of its own stays; PGD without one follows the radius.
        eps: radii of the attack's norm on the [0, 1] pixel scale, each once; also one alone, or texts such as "8/255".

    Raises:
        UserError: no radius, one that is there twice, or one that is none.
    """
    if not isinstance(attack, Explorer):
        raise UserError(
            f"several radii need an attack with an eps, such as PGD(), got {attack!r}; a function has its own radius."
        )
    several = (eps,) if isinstance(eps, (int, float, str)) else tuple(eps)
    if not several or None in several:
        raise UserError(f"eps needs one or more different radii, such as (2/255, 8/255), got {several}.")
    there = [replace(attack, eps=one) for one in several]  # type: ignore[arg-type] # it reads the text as well
    found = {float(at.eps): at for at in there if at.eps is not None}
    if len(found) < len(several):
        raise UserError(f"eps needs one or more different radii, such as (2/255, 8/255), got {several}.")
    return found


def explore_over_eps(
    attack: Attack,
    eps: float | str | Sequence[float | str],
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
    generator = stream_of(generator)
    first = generator.get_state()
    found = {}
    for one, at in attacks.items():
        generator.set_state(first)
        found[one] = at.explore(model, images, labels, targets=targets, generator=generator)
    return found
