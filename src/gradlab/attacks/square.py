"""Square attack: random squares, kept where they help; it sees logits alone, no gradient."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Ball, check_radius
from gradlab.attacks._checks import stream_of
from gradlab.attacks._goal import look, prepare
from gradlab.attacks._losses import check_two_classes
from gradlab.attacks._square_patches import bumps, squares, stripes, tiles
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks._worst import Worst
from gradlab.attacks.found import Explorer, Found
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Fraction, Radius

HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Queries, of 10,000, after which the squares' area is halved."""


def square(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    norm: Literal["linf", "l2"],
    queries: int,
    area: float,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Square attack (Andriushchenko et al., 2020, arXiv:1912.00049, algorithms 1 to 3).

    A random search: in each query a square of each image gets another change, as large as the ball allows; it stays if
    the margin of the label (or of the target) gets worse. An image is left alone once it reaches the goal.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255 for L-infinity and 0.5 for L2.
        norm: "linf" or "l2".
        queries: of the model for each image, at most; 5000 in AutoAttack.
        area: share of the image that the first squares cover; 0.8 in AutoAttack.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are a success.
        generator: source of all draws, drawn where it lies; left out, they are those of seed 0.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly. Iterations are queries after the
        first, which is that of the image as given.

    Raises:
        UserError: as `pgd` does.
    """
    check_radius(eps, norm)
    generator = stream_of(generator)
    with undisturbed(model), torch.no_grad():
        images, goal = prepare(images, labels, targets, "margin")
        worst, around, quick = Worst.of(images), Ball.around(images, eps, norm), light(model, images)
        if not len(images):
            return worst.found()
        for query in range(queries):
            rows = worst.open
            if not len(rows):
                break
            ball, now = around.rows(rows), worst.images[rows]
            if not query:
                points = now
            elif query == 1:
                points = (stripes if norm == "linf" else tiles)(ball, generator)
            else:
                share = area / 2 ** sum(query - 2 > one * queries / 10000 for one in HALVINGS)
                points = (squares if norm == "linf" else bumps)(now, ball, share, generator)
            seen = look(quick, points, goal.rows(rows), gradient=False)
            check_two_classes(seen.logits)
            loss = (
                seen.loss if query else torch.full_like(seen.loss, -torch.inf)
            )  # the first change always stays
            worst.keep(rows, points, loss, seen.is_reached, query)
    return worst.found()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Square(Explorer):
    """Random squares, kept where they help, without any gradient; it stops where an image is fooled.

    Attributes:
        eps: radius on the [0, 1] pixel scale, such as 8/255; for L2 often 0.5.
        norm: linf or l2.
        queries: of the network for each image, at most.
        area: share of the image that the first squares cover.
    """

    attack: ClassVar = staticmethod(square)
    kind: Literal["square"] = "square"
    eps: Radius = 8 / 255
    norm: Literal["linf", "l2"] = "linf"
    queries: Count = 5000
    area: Fraction = 0.8

    def __post_init__(self) -> None:
        check_radius(self.eps, self.norm)
