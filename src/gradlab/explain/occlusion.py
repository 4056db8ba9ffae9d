"""Occlusion (Zeiler and Fergus, 2014): how far the score falls where a grey square hides the image."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import logits, parts, undisturbed
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets, choose, rows_of, score_of
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Fraction, UserError


def occlusion(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    *,
    size: int | None = None,
    stride: int | None = None,
    fill: float = 0.5,
    raw: bool = False,
) -> torch.Tensor:
    """Occlusion (Zeiler & Fergus, 2014, arXiv:1311.2901): the mean fall of the score over the squares that hide a pixel.

    Squares lie in steps of `stride` and one more at the right and lower edge, so that every pixel is hidden by one.

    Args: as `saliency`; no gradient is used.
        size: side of the square in pixels; a quarter of the image's shorter side where it is left out.
        stride: step in pixels, at most the size; half the size where it is left out.
        fill: grey level of the square.
        raw: return the mean fall, (N, H, W), signed.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: a square or a stride that does not fit, or as `saliency`.
    """
    model, images = checked(model, images)
    height, width = images.shape[2:]
    side = size or max(1, min(height, width) // 4)
    step = stride or max(1, side // 2)
    if not (1 <= step <= side <= min(height, width)):
        raise UserError(
            f"squares of size {side} in steps of {step} do not cover an image of {height}×{width} pixels; take a size up to "
            f"{min(height, width)} and a stride up to the size."
        )
    with undisturbed(model, gradient=False):
        total, count = torch.zeros_like(wide(images[:, 0])), torch.zeros_like(images[0, 0])
        found = logits(model, images)
        chosen = choose(found, targets)
        before, quick = score_of(found, chosen), light(model, images)
        for top in _starts(height, side, step):
            for left in _starts(width, side, step):
                place = (..., slice(top, top + side), slice(left, left + side))
                for rows in parts(len(images)):
                    hidden = images[rows].clone()
                    hidden[place] = fill
                    fall = before[rows] - score_of(logits(quick, hidden), rows_of(chosen, rows))
                    total[rows][place] += wide(fall)[:, None, None]
                count[place] += 1
    return finished(total / count, images, raw=raw)


def _starts(length: int, side: int, step: int) -> list[int]:
    """Return where squares begin along one side, the last at its end."""
    return sorted({*range(0, length - side + 1, step), length - side})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Occlusion(Method):
    """Occlusion: how far the score falls where a square of one grey level hides the image.

    Attributes:
        size: side of the square in pixels; a quarter of the image's shorter side where it is left out.
        stride: step in pixels; half the size where it is left out. fill: grey level of the square.
    """

    explain: ClassVar = staticmethod(occlusion)
    kind: Literal["occlusion"] = "occlusion"
    size: Count | None = None
    stride: Count | None = None
    fill: Fraction = 0.5
