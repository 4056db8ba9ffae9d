"""Momentum iterative fast gradient sign method."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Norm
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.iterative_fgsm import iterative_fgsm
from gradlab.types import STRICT, Count, NonNegativeFloat, PixelEps, UserError


def momentum_fgsm(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    step_size: float,
    steps: int,
    decay: float,
    stop_at_success: bool,
    targets: torch.Tensor | None = None,
) -> Found:
    """Steps along the sign of a decaying sum of gradients (Dong et al., 2018, arXiv:1710.06081, eqs. 6 and 7).

    Each gradient is scaled to the same mean size before it is added. It starts at the image itself, and the worst case
    of its iterates is kept. Its images fool other networks more often than those of `iterative_fgsm`.

    Args:
        model, images, labels, eps, step_size, steps, stop_at_success, targets: as of `iterative_fgsm`.
        decay: factor of the sum in each step, at least 0; 0 is `iterative_fgsm`.

    Returns: as `iterative_fgsm`.

    Raises:
        UserError: as `iterative_fgsm` does, or a decay below 0.
    """
    if decay < 0:
        raise UserError(f"decay is the share of earlier gradients and must be at least 0, got {decay}.")
    return iterative_fgsm(
        model,
        images,
        labels,
        eps=eps,
        step_size=step_size,
        steps=steps,
        stop_at_success=stop_at_success,
        decay=decay,
        targets=targets,
    )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MomentumFGSM(Explorer):
    """Steps along the sign of a decaying sum of gradients: each image's first success, or else its largest loss.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        step_size: on the same scale; left out it is eps/steps, as published.
        steps: gradient steps.
        decay: of the sum, 1 as published.
        stop_at_success: leave an image alone once it is fooled; False takes every step and keeps the largest loss, as for
            images to try on other networks.
    """

    attack: ClassVar = staticmethod(momentum_fgsm)
    takes_generator: ClassVar = False
    kind: Literal["momentum-fgsm"] = "momentum-fgsm"
    eps: PixelEps = 8 / 255
    step_size: PixelEps | None = None
    steps: Count = 10
    decay: NonNegativeFloat = 1.0
    stop_at_success: bool = True

    @property
    def step(self) -> float:
        """The step size that is used."""
        return self.eps / self.steps if self.step_size is None else self.step_size

    @property
    def norm(self) -> Norm:
        """Of its radius."""
        return "linf"

    def settings(self) -> dict[str, Any]:
        """Return what the function is told: the step that is used, also where none is given."""
        return super().settings() | {"step_size": self.step}
