"""Noise of the size of an attack: the control that every attack has to beat."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Ball, check_radius, unit
from gradlab.attacks._draws import Draws
from gradlab.attacks._goal import prepare
from gradlab.attacks._search import Search, check_counts
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found
from gradlab.types import STRICT, Count, Radius, UserError

Norm = Literal["linf", "l2"]


def noise(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    norm: Norm,
    draws: int,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Add random noise of the size that an attack may have, the worst of several draws (Carlini et al., 2019, section 3.7).

    L-infinity: uniform in the ball of radius eps. L2: uniform on the sphere. Then the image is clipped to [0, 1], which
    makes the change smaller where pixels are near these ends.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises. Only its outputs are used.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale; for L2 any number.
        norm: "linf" or "l2".
        draws: how often noise is drawn for an image; it stops at its first success.
        targets: (N,) int64 in [0, K), other than the labels: reach these classes instead of leaving the labels.
        generator: its seed, with the image, names the random numbers of that image; left out, seed 0.

    Returns: images at most `eps` from the given ones, exactly. Iteration 0 is the image as given, the others are draws.

    Raises:
        UserError: as `fgsm` does, no draw, or a norm that it does not have.
    """
    _check(eps, norm, draws)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        search, stream = Search(model, images, goal), Draws(images, generator)
        search.fitness.fill_(-torch.inf)  # noise is noise, also where the image as given is worse
        around = Ball.around(images, eps, norm)
        for draw in range(1, draws + 1):
            rows = search.going
            if not len(rows):
                break
            noisy = images[rows] + _change(stream, rows, images, eps, norm)
            search.ask(rows, 1, around.rows(rows).project(noisy)[:, None].__getitem__, draw)
    return search.found


def _change(stream: Draws, rows: torch.Tensor, images: torch.Tensor, eps: float, norm: Norm) -> torch.Tensor:
    if norm == "linf":
        change = 2 * stream.uniform(rows, *images.shape[1:]) - 1
    else:
        change = unit(stream.normal(rows, *images.shape[1:]))
    return (eps * change).to(images.dtype)


def _check(eps: float, norm: Norm, draws: int) -> None:
    if norm not in get_args(Norm):
        raise UserError(f"norm must be one of {', '.join(get_args(Norm))}, got {norm!r}.")
    check_radius(eps, norm)
    check_counts(draws=draws)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Noise(Explorer):
    """Random noise of the size of an attack: what any attack has to beat.

    Attributes:
        eps: radius on the [0, 1] pixel scale. norm: uniform in the L-infinity ball, or uniform on the L2 sphere.
        draws: how often noise is drawn for an image; it stops at its first success.
    """

    attack: ClassVar = staticmethod(noise)
    kind: Literal["noise"] = "noise"
    eps: Radius = 8 / 255
    norm: Norm = "linf"
    draws: Count = 1

    def __post_init__(self) -> None:
        _check(self.eps, self.norm, self.draws)
