"""Few-pixel attack by the gradient."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Norm
from gradlab.attacks._checks import doubt
from gradlab.attacks._goal import look, prepare
from gradlab.attacks._search import check_counts
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found, Tally
from gradlab.attacks.project_linf import ball
from gradlab.types import STRICT, Count, PixelEps, check_pixels


def gradient_pixel(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    pixels: int,
    eps: float,
    targets: torch.Tensor | None = None,
) -> Found:
    """Change the few pixels that the gradient names, each by one step of size eps along its sign.

    Of all pixels those are taken whose change raises the cross-entropy most to first order: the sum over the channels of
    |gradient| times the step that [0, 1] leaves room for. Where no pixel is near 0 or 1 these are the ones of the largest
    gradient, as in lab 002 (20 pixels, 0.1); on a linear model of two classes it is the best that any such change can do.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        pixels: positions that may change, in all channels; more than an image has are all of them.
        eps: step of each channel on the [0, 1] pixel scale; 1 goes to the end of the range.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.

    Returns: images in which at most `pixels` pixels differ, each channel by at most `eps`, exactly. Iteration 0 is the image
        as given, 1 the step.

    Raises:
        UserError: as `fgsm` does, or fewer than one pixel.
    """
    check_pixels(eps)
    check_counts(pixels=pixels)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        tally, rows = Tally.of(images), torch.arange(len(images), device=images.device)
        if len(images):
            seen = look(model, images, goal, gradient=True)
            assert seen.gradient is not None  # it was asked for
            doubt(seen.gradient, seen.logits)
            tally.count(rows, seen.is_reached, 0)
            images = _step(images, seen.gradient, pixels, *ball(images, eps))
            tally.count(rows, look(model, images, goal, gradient=False).is_reached, 1)
    return Found(images, tally.iterations, tally.queries)


def _step(
    images: torch.Tensor, gradient: torch.Tensor, pixels: int, low: torch.Tensor, high: torch.Tensor
) -> torch.Tensor:
    ends = torch.where(gradient > 0, high, torch.where(gradient < 0, low, images))
    gain = (gradient.double() * (ends - images).double()).sum(1).flatten(1)
    best = gain.topk(min(pixels, gain.shape[1])).indices
    chosen = torch.zeros_like(gain, dtype=torch.bool).scatter(1, best, value=True)
    return torch.where(chosen.view(len(images), 1, *images.shape[2:]), ends, images)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GradientPixel(Explorer):
    """Change the few pixels that the gradient names; lab 002's are 20 pixels by 0.1.

    Attributes:
        pixels: positions that may change. eps: how far each channel of these goes; 1 goes to the end of the range.
    """

    attack: ClassVar = staticmethod(gradient_pixel)
    takes_generator: ClassVar = False
    kind: Literal["gradient-pixel"] = "gradient-pixel"
    pixels: Count = 20
    eps: PixelEps = 0.1

    @property
    def norm(self) -> Norm:
        """Norm of the radius."""
        return "linf"
