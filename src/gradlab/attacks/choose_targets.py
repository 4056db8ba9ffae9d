"""The classes that a targeted attack goes for, by a word or a number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._checks import stream_of
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.targets import least_likely
from gradlab.types import UserError

Targets = Literal["least-likely", "random"] | Annotated[int, Field(ge=0)]
"""One class for all images, "least-likely": of each image the least likely one, "random": any other than the label."""


def choose_targets(
    how: Targets,
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return a target for every image, (N,) int64, none of which is its label.

    Args:
        how: a class, "least-likely" or "random" (uniform over the other classes).
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); left as it was found.
        images: (N, C, H, W) float in [0, 1]. labels: (N,) int64 in [0, K), none of them the one class to go for.
        generator: of the random ones; left out, that of seed 0.

    Raises:
        UserError: another word.
    """
    if how == "least-likely":
        return least_likely(model, images, labels)
    if isinstance(how, int):
        return torch.full_like(labels, how)
    if how != "random":
        raise UserError(f"targets must be a class, 'least-likely' or 'random', got {how!r}.")
    if not len(labels):
        return labels.clone()
    with undisturbed(model), torch.no_grad():
        classes = int(asked(model, images[:1]).shape[1])
    generator = stream_of(generator)
    drawn = torch.rand(len(labels), generator=generator, device=generator.device, dtype=torch.float64)
    others = (drawn * (classes - 1)).long().to(labels.device)
    return others + (others >= labels)
