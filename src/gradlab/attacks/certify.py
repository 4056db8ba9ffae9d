"""The robustness certificate: how many images withstand every attack, and whether the attacks can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradlab._torch import torch
from gradlab.attacks._images import images_of
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.certificate import Certificate
from gradlab.attacks.effort import EFFORTS, Norm, radius_of
from gradlab.attacks.examination import examine
from gradlab.training.checks import like
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset, Split


def certify(
    model: torch.nn.Module,
    data: Dataset | Split | tuple[torch.Tensor, torch.Tensor],
    eps: float | str,
    norm: Norm = "linf",
    *,
    quick: bool = False,
    images: int | None = None,
    minutes: float | None = None,
    twin: torch.nn.Module | None = None,
    seed: int = 0,
) -> Certificate:
    """Attack a network in many ways, and judge whether surviving them means anything.

    The checks are those of Carlini et al. (2019, arXiv:1902.06705) and the flags of AutoAttack (Croce & Hein, 2020,
    arXiv:2003.01690) that a machine can run. *Valid*: all that were asked were passed. *Suspect*: a better attack may
    find less robustness. *Invalid*: the attacks were shown to fail, so that surviving them is no evidence. Robust accuracy
    counts an image if no attack fooled it, and is an upper bound; no finite number of attacks proves robustness.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); runs in eval mode and is left as it was found.
        data: a data set, whose test images are attacked, a part of one, or images (N, C, H, W) float in [0, 1] and labels
            (N,) int64.
        eps: radius on the [0, 1] pixel scale, such as 8/255 or "8/255"; in L2 such as 0.5. norm: "linf" or "l2".
        quick: 200 images and 20 steps of PGD instead of 1,000 and 50.
        images: how many instead, drawn with the class shares of the whole. minutes: after which no further check begins.
        twin: the same network trained without a defence; images that fool it are tried on this one.
        seed: of images, starts and noise.

    Raises:
        UserError: no images, another norm, a radius of 0 or outside the norm's range, or a model that does not fit.
    """
    radius = radius_of(eps, norm)
    effort = EFFORTS["quick" if quick else "standard"]
    with undisturbed(model), undisturbed(model if twin is None else twin):
        wanted = like(model)
        drawn, labels, _ = images_of(
            data, effort.images if images is None else images, seed=seed, dtype=wanted.dtype
        )
        if not len(labels):
            raise UserError("certify needs at least one image, got none.")
        drawn, labels = drawn.to(wanted.device), labels.to(wanted.device)
        examined = examine(model, drawn, labels, radius, norm, effort, twin, seed)
        examined.run_all(minutes)
    return examined.certificate(f", at most {minutes:g} minutes" if minutes is not None else "")
