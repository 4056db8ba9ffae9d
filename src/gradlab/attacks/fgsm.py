"""Fast gradient sign method."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Norm
from gradlab.attacks._checks import doubt
from gradlab.attacks._goal import look, prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found, Tally
from gradlab.attacks.project_linf import project_linf
from gradlab.types import STRICT, PixelEps, check_pixels


def fgsm(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    targets: torch.Tensor | None = None,
) -> Found:
    """One step of size eps along the sign of the gradient of the cross-entropy (Goodfellow et al., 2015, arXiv:1412.6572).

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; no gradient attached. Iteration 0
        is the image as given, 1 the step.

    Raises:
        UserError: images outside [0, 1] or of another type, class numbers out of range, eps outside [0, 1], or a model
            that does not return logits (N, K).
    """
    check_pixels(eps)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        tally, rows = Tally.of(images), torch.arange(len(images), device=images.device)
        if len(images):
            seen = look(model, images, goal, gradient=True)
            assert seen.gradient is not None  # it was asked for
            doubt(seen.gradient, seen.logits)
            tally.count(rows, seen.is_reached, 0)
            images = project_linf(images + eps * seen.gradient.sign(), images, eps)
            tally.count(rows, look(model, images, goal, gradient=False).is_reached, 1)
    return Found(images, tally.iterations, tally.queries)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FGSM(Explorer):
    """One step of size eps along the sign of the gradient; weak alone, so judge robustness by PGD beside it.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
    """

    attack: ClassVar = staticmethod(fgsm)
    takes_generator: ClassVar = False
    kind: Literal["fgsm"] = "fgsm"
    eps: PixelEps = 8 / 255

    @property
    def norm(self) -> Norm:
        """Of its radius."""
        return "linf"
