"""Average drop and increase (Chattopadhyay et al., 2018): the class's probability where the map hides the rest."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.explain._checks import checked, checked_maps
from gradlab.explain._network import followed, logits, parts, undisturbed
from gradlab.explain.scaled import scaled
from gradlab.explain.targets import Targets, probability_of


def average_drop(
    model: torch.nn.Module, images: torch.Tensor, maps: torch.Tensor, classes: Targets = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multiply each image by its map, and compare the class's probability (Chattopadhyay et al., 2018, sec. 4.1).

    A map that is large everywhere has no drop, so that this is read beside other measures.

    Args:
        model: maps images to logits. images: (N, C, H, W) in [0, 1]. maps: (N, H, W) in [0, 1]; one that leaves this range
            is brought into it as `scaled` does, negative values cut off.
        classes: as `deletion_insertion`.

    Returns: the drop as a share of the probability before, (N,) in [0, 1], smaller is better; and whether the
        probability rose, (N,) bool.

    Raises:
        UserError: maps of another shape, classes that the network does not have, or as `grad_cam`.
    """
    model, images = checked(model, images)
    weights = checked_maps(maps, images)
    leaves = (weights < 0).flatten(1).any(1) | (weights > 1).flatten(1).any(1)
    weights = torch.where(leaves[:, None, None], scaled(weights, images.shape[2:]), weights)
    shown = images * weights.to(images.dtype)[:, None]
    with undisturbed(model, gradient=False):
        chosen = followed(model, images, classes)
        before, after = (
            torch.cat([probability_of(logits(model, one[rows]), chosen[rows]) for rows in parts(len(one))])
            for one in (images, shown)
        )
    return (before - after).clamp(min=0) / before.clamp(min=1e-300), after > before
