"""ROAD (Rong et al., 2022): remove pixels so that nothing of their shape is left, and look what the class's probability does."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.explain._checks import checked, checked_maps
from gradlab.explain._network import followed, logits, parts, undisturbed
from gradlab.explain.deletion_insertion import ranks
from gradlab.explain.targets import Targets, probability_of
from gradlab.models.light import light

SHARES = (0.2, 0.4, 0.6, 0.8)
"""Of the pixels that are removed."""
NOISE = 0.01
"""Standard deviation of the noise on what is imputed, as in the authors' code."""
PRECISE, ROUNDS = 1e-6, 1000


def road(
    model: torch.nn.Module,
    images: torch.Tensor,
    maps: torch.Tensor,
    classes: Targets = None,
    *,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Remove and debias (Rong et al., 2022, arXiv:2202.00449), least minus most important pixels first, halved.

    For 20, 40, 60 and 80 % of the pixels, the class's probability without the least important ones minus that without
    the most important ones, averaged and halved, so that the result lies in [-1/2, 1/2]; 0 is a map that knows nothing.

    Args:
        model: maps images to logits. images: (N, C, H, W) in [0, 1]. maps: (N, H, W), larger is more important.
        classes: as `deletion_insertion`. generator: of the noise, on the images' device; left out, that of seed 0.

    Returns: (N,) float64, larger is more faithful.

    Raises:
        UserError: maps of another shape, classes that the network does not have, or as `grad_cam`.
    """
    model, images = checked(model, images)
    given = checked_maps(maps, images)
    generator = generator or torch.Generator(images.device).manual_seed(0)
    most, least = ranks(given), ranks(-given)
    with undisturbed(model, gradient=False):
        chosen = followed(model, images, classes)
        quick = light(model, images)
        total = torch.zeros(len(images), dtype=torch.float64, device=images.device)
        for share in SHARES:
            for order, sign in ((least, 1), (most, -1)):
                filled = imputed(images, order < share, generator=generator)
                found = [
                    probability_of(logits(quick, filled[rows]), chosen[rows]) for rows in parts(len(images))
                ]
                total += sign * torch.cat(found)
    return total / (2 * len(SHARES))


def imputed(
    images: torch.Tensor, removed: torch.Tensor, *, generator: torch.Generator, noise: float = NOISE
) -> torch.Tensor:
    """Noisy linear imputation (sec. 4.2): each removed pixel is the weighted mean of its neighbours, removed ones as well.

    Weights are 1/6 for the four direct neighbours and 1/12 for the diagonal ones, of those inside the image; the linear
    system is solved by conjugate gradients. Noise is added to what is imputed, and the result clipped to [0, 1].

    Args:
        images: (N, C, H, W) in [0, 1]. removed: (N, H, W) bool; an image without a pixel left becomes its mean colour.
    """
    hole = removed[:, None].to(torch.float64)
    known = images.double() * (1 - hole)
    whole = _neighbours(torch.ones_like(known[:1, :1]))
    start = hole * images.double().mean((2, 3), keepdim=True)

    def product(values: torch.Tensor) -> torch.Tensor:
        return hole * (whole * values - _neighbours(values))

    found = start
    rest = hole * _neighbours(known) - product(found)
    way, size = rest, rest.square().sum((2, 3), keepdim=True)
    for _ in range(ROUNDS):
        if float(rest.abs().max()) < PRECISE:
            break
        moved = product(way)
        length = size / (way * moved).sum((2, 3), keepdim=True).clamp(min=1e-300)
        found, rest = found + length * way, rest - length * moved
        fresh = rest.square().sum((2, 3), keepdim=True)
        way, size = rest + fresh / size.clamp(min=1e-300) * way, fresh
    drawn = torch.randn(found.shape, generator=generator, dtype=torch.float64, device=images.device)
    return (known + hole * (found + noise * drawn)).clamp(0, 1).to(images.dtype)


def _neighbours(values: torch.Tensor) -> torch.Tensor:
    """Return the weighted sum of each pixel's eight neighbours; outside of the image there is nothing."""
    kernel = torch.tensor([[1.0, 2, 1], [2, 0, 2], [1, 2, 1]], dtype=values.dtype, device=values.device) / 12
    flat = values.flatten(0, 1)[:, None]
    return torch.nn.functional.conv2d(flat, kernel[None, None], padding=1).view_as(values)
