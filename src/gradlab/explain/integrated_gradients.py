"""Integrated gradients (Sundararajan et al., 2017): the score's change from a baseline, divided among the pixels."""

from __future__ import annotations

import contextlib
import math
from typing import ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import MOST, chosen_of, input_gradient, undisturbed
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Fraction, UserError


def integrated_gradients(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    *,
    steps: int = 50,
    baseline: float | torch.Tensor = 0.0,
    raw: bool = False,
) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al., 2017, arXiv:1703.01365), along the straight line from a baseline.

    Attributions are (image - baseline) times the mean gradient on the way (eq. 1), by Gauss-Legendre quadrature. They
    are complete: their sum is the score of the image minus that of the baseline, up to the error of so many steps.

    Args: as `saliency`. The target is chosen on the image.
        steps: points on the way, at least 1.
        baseline: a grey level in [0, 1], 0 for black, or images that can be subtracted from the given ones.
        raw: return the attributions, (N, C, H, W), signed.

    Returns: (N, H, W) in [0, 1]: the magnitude of the sum over colours, each map stretched by itself.

    Raises:
        UserError: as `saliency`, fewer than one step, or a baseline that fits no image.
    """
    if steps < 1:
        raise UserError(
            f"steps counts points on the way from the baseline and must be at least 1, got {steps}."
        )
    model, images = checked(model, images)
    points, weights = np.polynomial.legendre.leggauss(steps)
    with undisturbed(model, gradient=False):
        chosen = chosen_of(model, images, targets)
        change = wide(images - _start(baseline, images))
        mean = torch.zeros_like(change)
        places, shares = (torch.from_numpy(one).to(change) for one in ((points + 1) / 2, weights / 2))
    with undisturbed(model, gradient=True):
        quick = light(model, images)
        for rows in _blocks(len(images), steps):
            size = len(images[rows])
            for start in range(0, steps, max(1, MOST // size)):
                some = slice(start, start + max(1, MOST // size))
                way = images[rows] - (1 - places[some, None, None, None, None]) * change[rows]
                count = len(way)
                target = chosen[rows].repeat(count) if isinstance(chosen, torch.Tensor) else chosen
                gradient = wide(input_gradient(quick, way.flatten(0, 1).to(images.dtype), target))
                mean[rows] += torch.einsum(
                    "s,snchw->nchw", shares[some], torch.unflatten(gradient, 0, (count, size))
                )
    found = change * mean
    return found if raw else finished(found.sum(1).abs(), images, raw=False)


def _start(baseline: float | torch.Tensor, images: torch.Tensor) -> float | torch.Tensor:
    """Return the baseline where it fits the images.

    Raises:
        UserError: it has another shape, or is neither a number nor a tensor.
    """
    if isinstance(baseline, torch.Tensor):
        with contextlib.suppress(RuntimeError):
            return baseline.to(images).expand(images.shape)
    elif isinstance(baseline, int | float) and math.isfinite(baseline):
        return baseline
    got = f"shape {tuple(baseline.shape)}" if isinstance(baseline, torch.Tensor) else repr(baseline)
    raise UserError(
        f"a baseline is a grey level such as 0.0, or a tensor of the images' shape {tuple(images.shape)}, of one image or of "
        f"one colour, got {got:.80}."
    )


def _blocks(count: int, steps: int) -> list[slice]:
    """Cut images so that one block with all of its steps is a pass, or, of many steps, one image a block."""
    size = max(1, MOST // steps)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IntegratedGradients(Method):
    """Integrated gradients: the score's change from a baseline of one grey level, divided among the pixels.

    Attributes:
        steps: points on the way. baseline: grey level in [0, 1], 0 for black.
    """

    explain: ClassVar = staticmethod(integrated_gradients)
    kind: Literal["integrated-gradients"] = "integrated-gradients"
    steps: Count = 50
    baseline: Fraction = 0.0
