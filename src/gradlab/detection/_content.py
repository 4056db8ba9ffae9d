"""What images are by their content, whatever they are called: the same as others, or noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradlab._torch import torch

if TYPE_CHECKING:
    from gradlab.data import Dataset, Split

FEW = 1_000
"""Images that are looked at to tell noise from pictures."""
UNRELATED = 0.1
"""Correlation of neighbouring pixels below which images are noise; of photographs it is above 0.7."""


def images_of(data: Split | torch.Tensor) -> torch.Tensor:
    """Return the images of a part, or a tensor of images as it is."""
    return data if isinstance(data, torch.Tensor) else data.images


def prints(data: Split | torch.Tensor) -> set[int]:
    """Return a number for every different image, equal for equal pixels in 256 steps.

    Args:
        data: images (N, C, H, W), uint8 or floats in [0, 1].
    """
    images = images_of(data).detach()
    whole = images if images.dtype == torch.uint8 else (images * 255).round().to(torch.uint8)
    return {hash(one.tobytes()) for one in whole.cpu().contiguous().numpy()}


def prints_of_all(data: Dataset) -> set[int]:
    """Return those numbers for the images of all parts of a data set."""
    parts = (data.train, data.validation, data.test)
    return {number for part in parts if part is not None for number in prints(part)}


def is_noise(data: Split | torch.Tensor) -> bool:
    """Whether neighbouring pixels of images have nothing in common, as in noise of any kind.

    Correlated are the differences to each channel's mean in its image, over the first thousand images.
    """
    images = images_of(data)[:FEW].detach().cpu().double()
    if min(images.shape[-2:]) < 2:
        return False
    centred = images - images.mean(dim=(2, 3), keepdim=True)
    power = centred.square().mean()
    steps = [
        (centred[..., 1:] * centred[..., :-1]).mean(),
        (centred[..., 1:, :] * centred[..., :-1, :]).mean(),
    ]
    return bool(power > 0 and max(abs(float(one / power)) for one in steps) < UNRELATED)
