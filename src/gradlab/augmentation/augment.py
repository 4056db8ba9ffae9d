"""Several augmentations in a row, for the batches of several seeds at once; adjacent geometric ones warp once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.augmentation._call import size_of
from gradlab.augmentation._checks import check_drawn, check_generators, check_images, listed
from gradlab.augmentation._warp import compose, matrix_of, warp
from gradlab.augmentation.cutmix import CutMix
from gradlab.augmentation.elastic import Elastic
from gradlab.augmentation.mixup import Mixup
from gradlab.augmentation.perspective import Perspective
from gradlab.augmentation.registry import Augmentation, Mixing, named
from gradlab.augmentation.rotation import Rotation
from gradlab.augmentation.scale import Scale
from gradlab.augmentation.shear import Shear
from gradlab.augmentation.shift import Shift
from gradlab.types import UserError

GEOMETRIC = (Rotation, Shift, Scale, Shear, Perspective)
Generators = torch.Generator | Sequence[torch.Generator]


def augment(
    images: Tensor, augmentations: str | Augmentation | Sequence[Augmentation], generators: Generators
) -> Tensor:
    """Augment a training batch, each image by draws of its own.

    Adjacent geometric steps, and an elastic one right after them, are one warp: pixels are interpolated once, and what
    one step moves out of the image another can bring back.

    Args:
        images: (B, C, H, W) float in [0, 1], or (S, B, C, H, W) for S stacked seeds.
        augmentations: one, or several in the order in which they act; or the name of a set ("light", "heavy") or of
            one ("flip").
        generators: of the draws, on the CPU: one, or one for each seed. What a seed gets depends on its own alone.
    Returns: the same shape, type and device, in [0, 1]; the input is not written to (with nothing to do, it is returned).
    Raises:
        UserError: images of another rank, type or range; not one generator a seed; an unknown name or what is no
            augmentation; in one sentence.
    """
    chain = chain_of(augmentations)
    generators = listed(generators)
    check_images(images, (4, 5))
    check_chain(chain)
    check_generators(generators, len(images) if images.dim() == 5 else 1)
    drawn = draw_all(chain, images.shape[-4], size_of(images), generators)
    return apply_all(images.flatten(0, -4), chain, drawn).view(images.shape)


def chain_of(augmentations: object) -> tuple[Any, ...]:
    """Return the steps of a name, of one augmentation or of several; unchecked."""
    if isinstance(augmentations, str):
        return named(augmentations)
    return tuple(augmentations) if isinstance(augmentations, Iterable) else (augmentations,)


def check_chain(chain: Sequence[object]) -> None:
    """Refuse what does not augment images alone."""
    for step in chain:
        if isinstance(step, (Mixup, CutMix)):
            raise UserError(
                f"{step.kind} mixes labels as well; call gradlab.augmentation.mix(images, labels, {type(step).__name__}(), …)."
            )
        if not isinstance(step, Augmentation):
            raise UserError(f"augmentations must be such as Rotation(degrees=10) or Flip(), got {step!r}.")


def draw_all(
    chain: Sequence[Augmentation],
    count: int,
    size: tuple[int, int, int],
    generators: Sequence[torch.Generator],
) -> list[Tensor]:
    """Draw for each augmentation (S·count, ...): `count` images of size (C, H, W) of each of S seeds, one after the other."""
    return [torch.cat([step.draw(count, size, generator) for generator in generators]) for step in chain]


def apply_all(images: Tensor, chain: Sequence[Augmentation], drawn: Sequence[Tensor]) -> Tensor:
    """Apply a chain to images (N, C, H, W) by draws of N rows each; unchecked range."""
    matrices: list[Tensor] = []
    size = size_of(images)
    for step, rows in zip(chain, drawn, strict=True):
        if isinstance(step, GEOMETRIC):
            check_drawn(images, rows)
            matrices.append(step.matrix(rows, size))
        elif isinstance(step, Elastic):
            images = _warp(images, matrices, rows)
        else:
            images = step.apply(_warp(images, matrices), rows)
    return _warp(images, matrices)


def _warp(images: Tensor, matrices: list[Tensor], displacement: Tensor | None = None) -> Tensor:
    """Warp by the matrices that have gathered, if any, and empty the list."""
    if not matrices and displacement is None:
        return images
    identity = matrix_of([[1, 0, 0], [0, 1, 0], [0, 0, 1]], len(images))
    whole = compose(matrices) if matrices else identity
    matrices.clear()
    return warp(images, whole, displacement)


def mix(
    images: Tensor, labels: Tensor, mixing: Mixing, generators: Generators
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each image with a partner of its own batch.

    Args:
        images: (B, C, H, W) float in [0, 1], or (S, B, C, H, W) for S stacked seeds.
        labels: (B,) or (S, B) int64.
        mixing: `Mixup()` or `CutMix()`.
        generators: of the draws, on the CPU: one, or one for each seed.
    Returns: images; the partners' labels, shaped as `labels`; weights of the own labels in [0, 1], likewise. The loss is
        weights · loss(labels) + (1 - weights) · loss(partners' labels).
    Raises:
        UserError: images of another rank, type or range, or labels and generators that do not fit.
    """
    generators = listed(generators)
    check_images(images, (4, 5))
    check_generators(generators, len(images) if images.dim() == 5 else 1)
    (count, size) = images.shape[-4], size_of(images)
    drawn = torch.stack([mixing.draw(count, size, generator) for generator in generators])
    return mixing.mix(images, labels, drawn if images.dim() == 5 else drawn[0])
