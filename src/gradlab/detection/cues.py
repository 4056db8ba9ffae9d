"""What pixels or lengths alone tell of two sets: where that is much, a detector need not know what it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradlab._torch import torch
from gradlab.metrics import auroc

if TYPE_CHECKING:
    from gradlab.data import Split

BLOCK = 1_000
NAMES = ("brightness", "contrast", "roughness", "flatness")
LENGTH = "length"
TELLING = 0.95
"""Share of pairs that a cue tells apart, from which it is flagged."""


def cues(images: torch.Tensor) -> torch.Tensor:
    """Return four numbers an image, (N, 4) float64, in the order of `NAMES`.

    Brightness and contrast are mean and standard deviation of its pixels; roughness is the mean absolute difference of
    neighbouring pixels, and flatness the share of neighbours that are equal, as after resizing by repetition.

    Args:
        images: (N, C, H, W) uint8, or floats in [0, 1].
    """
    return torch.cat([*map(_of_block, _blocks(images))]) if len(images) else torch.empty(0, len(NAMES))


def _blocks(images: torch.Tensor) -> Iterator[torch.Tensor]:
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK].cpu()
        yield block.double() / 255 if block.dtype == torch.uint8 else block.double()


def _of_block(images: torch.Tensor) -> torch.Tensor:
    flat = images.flatten(1)
    steps = torch.cat([images.diff(dim=2).flatten(1), images.diff(dim=3).flatten(1)], dim=1).abs()
    return torch.stack(
        [flat.mean(1), flat.std(1, correction=0), steps.mean(1), (steps == 0).double().mean(1)], dim=1
    )


def telling_cues(inside: Split | torch.Tensor, outside: Split | torch.Tensor) -> dict[str, float]:
    """Return the AUROC of every cue, in the direction in which it is above 0.5."""
    a, b = (cues(_images_of(one)).numpy() for one in (inside, outside))
    values = [auroc(a[:, k], b[:, k]) for k in range(len(NAMES))]
    return {name: max(value, 1 - value) for name, value in zip(NAMES, values, strict=True)}


def length_cue(inside: torch.Tensor, outside: torch.Tensor) -> dict[str, float]:
    """Return the AUROC of the length of texts, in the direction in which it is above 0.5.

    Args:
        inside, outside: (N,) and (M,), tokens of every text.
    """
    value = auroc(inside.cpu().double().numpy(), outside.cpu().double().numpy())
    return {LENGTH: max(value, 1 - value)}


def _images_of(data: Split | torch.Tensor) -> torch.Tensor:
    return data if isinstance(data, torch.Tensor) else data.images


def cue_flags(name: str, found: dict[str, float]) -> list[str]:
    """Say where a single cue tells a set from the in-distribution images."""
    best = max(found, key=lambda cue: found[cue])
    if found[best] < TELLING:
        return []
    if best == LENGTH:
        return [
            f"{name}: {best} of the texts alone has an AUROC of {100 * found[best]:.0f} %, so that a high AUROC says little "
            "about the network"
        ]
    return [
        f"{name}: {best} of the pixels alone has an AUROC of {100 * found[best]:.0f} %, so that a high AUROC says little "
        "about the network; see whether both sets were resized and normalised alike"
    ]
