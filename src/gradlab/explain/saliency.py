"""Saliency (Simonyan et al., 2014): how much the score reacts to each pixel."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import gradient_of, logits, undisturbed
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets, choose, score_of
from gradlab.types import STRICT


def saliency(
    model: torch.nn.Module, images: torch.Tensor, targets: Targets = None, *, raw: bool = False
) -> torch.Tensor:
    """Saliency (Simonyan et al., 2014, arXiv:1312.6034): the largest magnitude over colours of the score's gradient.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); in any mode, left as it was found.
        images: (N, C, H, W) float in [0, 1].
        targets: None for the predicted classes, a class, one for each image, or a function of the logits.
        raw: return the gradient itself, (N, C, H, W).

    Returns: (N, H, W) in [0, 1]; each map stretched by itself, all 0 where it is constant.

    Raises:
        UserError: images outside [0, 1], no such target, or a model that gives no logits or no gradient.
    """
    model, images = checked(model, images)
    with undisturbed(model, gradient=True):
        at = images.detach().requires_grad_(True)
        found = logits(model, at)
        gradient = wide(gradient_of(score_of(found, choose(found, targets)), at))
    return gradient if raw else finished(gradient.abs().amax(1), images, raw=False)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Saliency(Method):
    """Saliency: the largest magnitude over colours of the score's gradient."""

    explain: ClassVar = staticmethod(saliency)
    kind: Literal["saliency"] = "saliency"
