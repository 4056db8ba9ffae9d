"""How much a certificate spends, and the radii that it can judge; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gradlab.attacks.pgd import PGD
from gradlab.types import UserError

Norm = Literal["linf", "l2"]


@dataclass(frozen=True)
class Effort:
    """How much is spent: images, steps of PGD, draws of noise, queries without gradients."""

    images: int
    steps: int
    draws: int
    queries: int


EFFORTS = {"quick": Effort(200, 20, 20, 300), "standard": Effort(1000, 50, 100, 2000)}


def radius_of(eps: float | str, norm: Norm) -> float:
    """Return the radius as a number.

    Raises:
        UserError: another norm, or a radius of 0 or outside the norm's range.
    """
    if norm not in get_args(Norm):
        raise UserError(f"certify judges the norms {' and '.join(get_args(Norm))}, got {norm!r}.")
    radius = PGD(eps=eps, norm=norm).eps  # type: ignore[arg-type] # it reads the text as well
    if not radius:
        raise UserError("certify needs a radius above 0, such as 8/255, got 0.")
    return radius
