"""One part of a data set as tensors, with a mark of what it may be used for that copies keep."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np
import torch
from torch import Tensor

from gradlab.data.guard import TEST_MARK, marked_as_test
from gradlab.data.registry import ROLES, Role
from gradlab.types import UserError

Index = slice | Tensor | np.ndarray | list[int] | list[bool]


@dataclass(frozen=True)
class Origin:
    """Where a split comes from. It is carried through every copy and never changes.

    Attributes:
        name: of the data set.
        role: what the images were when they were first read.
        digest: SHA-256 of the whole part; None for a subset.
        mean: of each channel of the whole part on the [0, 1] scale; empty where not known.
        std: likewise.
    """

    name: str
    role: Role
    digest: str | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set, decoded in memory.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N,) int64 in [0, K), on the same device.
        role: "train", "validation" or "test". What was test stays test in every subset and copy.
        mark: where it comes from, carried through copies; made from `role` where not given.
    """

    images: Tensor
    labels: Tensor
    role: Role
    mark: Origin | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise UserError(f"role must be one of {', '.join(ROLES)}, got {self.role!r}.")
        check_images_and_labels(self.images, self.labels)
        if self.mark is None:
            object.__setattr__(self, "mark", Origin("tensors", self.role))
        name = marked_as_test(self.images) or self.origin.name
        if self.role != "test" and (self.origin.role == "test" or marked_as_test(self.images)):
            raise UserError(
                f"The test images of '{name}' cannot become a {self.role} split; take images of its train part."
            )
        if self.role == "test":
            setattr(self.images, TEST_MARK, name)

    @property
    def origin(self) -> Origin:
        """Where it comes from: data set, first role, facts about the whole part."""
        return self.mark or Origin("tensors", self.role)

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int) -> tuple[Tensor, int]: ...
    @overload
    def __getitem__(self, index: Index) -> Split: ...
    def __getitem__(self, index: int | Index) -> Split | tuple[Tensor, int]:
        """Return the images at a slice, at integer positions or under a mask, as a split of the same role.

        A single integer gives (image (C, H, W) uint8, label), as PyTorch's DataLoader expects.
        """
        if isinstance(index, int | np.integer):
            return self.images[index], int(self.labels[index])
        if not isinstance(index, slice):
            index = torch.as_tensor(index, device=self.images.device)
        origin = replace(self.origin, digest=None, mean=(), std=())
        return Split(self.images[index], self.labels[index], self.role, origin)

    def to(self, device: torch.device | str) -> Split:
        """Return this split on `device`; itself where it is there already."""
        images, labels = self.images.to(device), self.labels.to(device)
        if images is self.images and labels is self.labels:
            return self
        return Split(images, labels, self.role, self.origin)

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.images.shape[1:]))
        return (
            f"Split({len(self):,} {self.role} images {shape} of '{self.origin.name}', {self.images.device})"
        )


def check_images_and_labels(images: Tensor, labels: Tensor) -> None:
    """Refuse anything but (N, C, H, W) uint8 images with (N,) int64 labels, in one sentence."""
    if images.ndim != 4 or images.dtype != torch.uint8:
        raise UserError(
            f"A split holds images of shape (N, C, H, W) and type uint8, got {tuple(images.shape)} {images.dtype}; "
            "gradlab.data.from_tensors converts images in [0, 1]."
        )
    if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
        raise UserError(
            f"A split of {len(images)} images needs labels of shape ({len(images)},) and type int64, "
            f"got {tuple(labels.shape)} {labels.dtype}."
        )
