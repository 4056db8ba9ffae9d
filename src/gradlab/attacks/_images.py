"""The images that an evaluation attacks: of a data set, a part of one, or a pair of tensors."""

from __future__ import annotations

from typing import Any

from gradlab._torch import torch
from gradlab.attacks._checks import check_classes, check_images
from gradlab.data import Dataset, Split, draw, gather
from gradlab.types import UserError

HOW = "a data set of gradlab, a part of one such as data.test, or a pair (images, labels) of tensors"


def images_of(
    data: Any, count: int | None, *, seed: int, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    """Return images (N, C, H, W) float in [0, 1], labels (N,) int64, and the names of the classes, () where they have none.

    Args:
        data: a data set, whose test images are taken, a part of one, or images and labels as they are.
        count: about how many images, drawn with the class shares of the whole in their order; None, or more than there are,
            for all. seed: of the draw. dtype: of images that are stored in grey levels.

    Raises:
        UserError: none of these, no test images, or a count below 1.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise UserError(
            f"images counts the images that are attacked and must be at least 1, got {count}; leave it out for all."
        )
    names: tuple[str, ...] = ()
    if isinstance(data, Dataset):
        if data.test is None:
            raise UserError(f"'{data.name}' has no test images to attack; choose data with a test part.")
        data, names = data.test, data.class_names
    if isinstance(data, Split):
        rows = _rows(data.labels, count, seed)
        every = torch.arange(len(data.labels), device=data.labels.device) if rows is None else rows
        return gather(data, every, dtype), data.labels[every], names
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise UserError(f"data must be {HOW}, got {_told(data)}.")
    pixels, labels = data
    check_images(pixels)
    check_classes(labels, pixels, "labels")
    rows = _rows(labels, count, seed)
    return (pixels, labels, names) if rows is None else (pixels[rows], labels[rows], names)


def _rows(labels: torch.Tensor, count: int | None, seed: int) -> torch.Tensor | None:
    return None if count is None or count >= len(labels) else draw(labels, count, seed=seed)


def _told(data: Any) -> str:
    """Name what was given, and how to make a pair of it where that is known."""
    name = type(data).__name__
    if isinstance(data, torch.utils.data.DataLoader):
        return f"{name}; join its batches, (torch.cat([x for x, _ in loader]), torch.cat([y for _, y in loader]))"
    if isinstance(data, torch.utils.data.TensorDataset):
        return f"{name}; give its tensors, dataset.tensors"
    return f"{name} of {len(data)}" if isinstance(data, (tuple, list)) else name
