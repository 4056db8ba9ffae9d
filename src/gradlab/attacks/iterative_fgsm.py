"""Iterative fast gradient sign method, also called the basic iterative method (BIM)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Ball, Norm
from gradlab.attacks._climb import Climb, check_steps, default_step
from gradlab.attacks._goal import prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks._worst import Worst
from gradlab.attacks.found import Explorer, Found
from gradlab.models.light import light
from gradlab.types import STRICT, PixelEps


def iterative_fgsm(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    step_size: float,
    steps: int,
    stop_at_success: bool,
    decay: float | None = None,
    targets: torch.Tensor | None = None,
) -> Found:
    """Steps along the sign of the gradient, each projected into the ball (Kurakin et al., 2017, arXiv:1607.02533, eq. 2).

    It starts at the image itself, so that nothing is random. The worst case of its iterates is kept, as in `pgd`.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: L-infinity radius on the [0, 1] pixel scale, e.g. 8/255.
        step_size: step on the same scale.
        steps: number of gradient steps; 0 returns the images.
        stop_at_success: leave an image alone once it reaches the goal; False takes every step.
        decay: of the sum of gradients, that of `momentum_fgsm`; None takes the last gradient alone.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; no gradient attached. Iterations
        are gradient steps; 0 is the image as given.

    Raises:
        UserError: as `pgd` does.
    """
    check_steps(eps, step_size, steps)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        worst, around = Worst.of(images), Ball.around(images, eps, "linf")
        Climb(light(model, images), goal, around, step_size, steps, stop_at_success, decay).run(images, worst)
    return worst.found()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IterativeFGSM(Explorer):
    """Steps along the sign of the gradient from the image itself: each image's first success, or else its largest loss.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        step_size: on the same scale; left out it is 2.5·eps/steps, so that it follows the radius.
        steps: gradient steps.
        stop_at_success: leave an image alone once it is fooled; False takes every step and keeps the largest loss.
    """

    attack: ClassVar = staticmethod(iterative_fgsm)
    takes_generator: ClassVar = False
    kind: Literal["iterative-fgsm"] = "iterative-fgsm"
    eps: PixelEps = 8 / 255
    step_size: PixelEps | None = None
    steps: Annotated[int, Field(ge=0)] = 10
    stop_at_success: bool = True

    @property
    def step(self) -> float:
        """The step size that is used."""
        return default_step(self.eps, self.steps) if self.step_size is None else self.step_size

    @property
    def norm(self) -> Norm:
        """Of its radius."""
        return "linf"

    def settings(self) -> dict[str, Any]:
        """Return what the function is told: the step that is used, also where none is given."""
        return super().settings() | {"step_size": self.step}
