"""AutoAttack: the standard ensemble, the worst case of each image."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import check_radius
from gradlab.attacks._checks import log
from gradlab.attacks.apgd import APGD
from gradlab.attacks.ensemble import ensemble
from gradlab.attacks.fab import FAB
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.square import Square
from gradlab.types import STRICT, Count, Radius

FEW = 0.002
"""Share of images that Square may win alone before the gradients are doubted, as in AutoAttack's own flags."""


def autoattack(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    norm: Literal["linf", "l2"],
    steps: int,
    target_classes: int,
    queries: int,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """AutoAttack's standard ensemble (Croce & Hein, 2020, arXiv:2003.01690, section 5), the worst case of each image.

    Auto-PGD on the cross-entropy, Auto-PGD on the targeted difference-of-logits ratio, FAB-T, and Square; each attacks only
    the images that still stand. A warning says when Square, which sees no gradient, wins images that the others lost.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255 for L-infinity and 0.5 for L2.
        norm: "linf" or "l2".
        steps: of Auto-PGD and FAB, for each class; 100 in the standard version.
        target_classes: of Auto-PGD and FAB; 9 in the standard version.
        queries: of Square; 5000 in the standard version.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are a success.
        generator: source of all draws, drawn where it lies; left out, they are those of seed 0.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; those that withstand come back as
        given. An iteration is an attack: 1 to 4 where it is the first to succeed, 0 where the image as given does.

    Raises:
        UserError: as `pgd` does.
    """
    attacks: tuple[Explorer, ...] = (
        APGD(eps=eps, norm=norm, steps=steps, loss="ce"),
        APGD(eps=eps, norm=norm, steps=steps, loss="dlr", target_classes=target_classes),
        FAB(eps=eps, norm=norm, steps=steps, target_classes=target_classes),
        Square(eps=eps, norm=norm, queries=queries),
    )
    found = ensemble(attacks, model, images, labels, targets=targets, generator=generator)
    won = int((found.iterations == len(attacks)).sum())
    if won > FEW * len(images):
        log.warning(
            "Square, which sees no gradient, fooled %d of %d images that attacks by gradients could not: gradients are "
            "masked; attack the part of the network behind whatever hides them.",
            won,
            len(images),
        )
    return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoAttack(Explorer):
    """The standard ensemble: Auto-PGD on two losses, FAB-T and Square, the worst case of each image.

    Attributes:
        eps: radius on the [0, 1] pixel scale, such as 8/255; for L2 often 0.5.
        norm: linf or l2.
        steps: of Auto-PGD and FAB, for each class.
        target_classes: of Auto-PGD and FAB.
        queries: of Square.
    """

    attack: ClassVar = staticmethod(autoattack)
    kind: Literal["autoattack"] = "autoattack"
    eps: Radius = 8 / 255
    norm: Literal["linf", "l2"] = "linf"
    steps: Count = 100
    target_classes: Count = 9
    queries: Count = 5000

    def __post_init__(self) -> None:
        check_radius(self.eps, self.norm)
