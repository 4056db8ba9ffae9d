"""Deletion and insertion (Petsiuk et al., 2018): what the class's probability does as the most important pixels go, or come."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab._torch import torch
from gradlab.explain._checks import checked, checked_maps
from gradlab.explain._network import followed, logits, parts, undisturbed
from gradlab.explain.targets import Targets, probability_of
from gradlab.models.light import Model, light
from gradlab.types import UserError

BLUR, LEAST_BLUR = 5.0 / 224, 2.0
"""Standard deviation of the blurred image that insertion begins with: as a share of its side, as published for 224 pixels,
and the least in pixels, without which small images would be left sharp."""


@dataclass(frozen=True)
class DeletionInsertion:
    """Areas under both curves, each (N,) float64 in [0, 1].

    Attributes:
        deletion: small where the probability falls at once. insertion: large where it rises at once.
    """

    deletion: torch.Tensor
    insertion: torch.Tensor

    @property
    def gap(self) -> torch.Tensor:
        """(N,) insertion minus deletion, in [-1, 1]: larger is more faithful."""
        return self.insertion - self.deletion


def deletion_insertion(
    model: torch.nn.Module,
    images: torch.Tensor,
    maps: torch.Tensor,
    classes: Targets = None,
    *,
    steps: int = 16,
) -> DeletionInsertion:
    """Delete the pixels of each image from the most to the least important, and insert them in this order (RISE, sec. 4).

    Deleted pixels take the image's mean colour; insertion begins with the blurred image. Pixels of one importance go in
    the order of rows. The areas are by the trapezoid rule.

    Args:
        model: maps images to logits. images: (N, C, H, W) in [0, 1]. maps: (N, H, W), larger is more important.
        classes: whose probability is followed: a class, one for each image, or None for the predicted ones.
        steps: equal shares of pixels, at least 1.

    Raises:
        UserError: maps of another shape, classes that the network does not have, no step, or as `grad_cam`.
    """
    if steps < 1:
        raise UserError(f"steps counts shares of the pixels and must be at least 1, got {steps}.")
    model, images = checked(model, images)
    rank = ranks(checked_maps(maps, images))
    empty = images.mean((2, 3), keepdim=True).expand_as(images)
    blurred = blur(images, max(LEAST_BLUR, BLUR * min(images.shape[2:])))
    curves = []
    with undisturbed(model, gradient=False):
        chosen = followed(model, images, classes)
        quick = light(model, images)
        for start, end in ((images, empty), (blurred, images)):
            seen = [
                _probabilities(quick, torch.where((rank < step / steps)[:, None], end, start), chosen)
                for step in range(steps + 1)
            ]
            curve = torch.stack(seen, 1)
            curves.append((curve[:, 1:] + curve[:, :-1]).mean(1) / 2)
    return DeletionInsertion(*curves)


def ranks(maps: torch.Tensor) -> torch.Tensor:
    """Return (N, H, W) in [0, 1): the share of pixels that are more important, ties in the order of rows."""
    flat = maps.flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(flat.shape[1], device=maps.device, dtype=torch.float64) / flat.shape[1]
    return (
        torch.zeros_like(flat, dtype=torch.float64).scatter_(1, order, places.expand_as(order)).view_as(maps)
    )


def blur(images: torch.Tensor, deviation: float) -> torch.Tensor:
    """Return images behind a Gaussian of this standard deviation in pixels; beyond the border the nearest pixel counts."""
    reach = max(1, round(2 * deviation))
    places = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-(places**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, -1)
    found = images
    for turned, pads in ((kernel, (reach, reach, 0, 0)), (kernel.transpose(2, 3), (0, 0, reach, reach))):
        padded = torch.nn.functional.pad(found, pads, mode="replicate")
        found = torch.nn.functional.conv2d(padded, turned, groups=images.shape[1])
    return found


def _probabilities(model: Model, images: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    found = [probability_of(logits(model, images[rows]), classes[rows]) for rows in parts(len(images))]
    return torch.cat(found)
