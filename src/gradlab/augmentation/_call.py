"""The public door of one augmentation: check, draw, apply."""

from __future__ import annotations

from typing import Protocol

from torch import Generator, Tensor

from gradlab.augmentation._checks import check_drawn, check_generators, check_images
from gradlab.augmentation._warp import warp


class Drawn(Protocol):
    """An augmentation that keeps the label."""

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw for `count` images of size (C, H, W)."""

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Change each image by its row of draws."""


def size_of(images: Tensor) -> tuple[int, int, int]:
    """Return (C, H, W)."""
    channels, height, width = images.shape[-3:]
    return channels, height, width


def call(augmentation: Drawn, images: Tensor, generator: Generator) -> Tensor:
    """Augment a batch (N, C, H, W)."""
    check_images(images)
    check_generators([generator], 1)
    return augmentation.apply(images, augmentation.draw(len(images), size_of(images), generator))


class Geometric(Protocol):
    """An augmentation that moves pixels by a matrix."""

    def matrix(self, drawn: Tensor, size: tuple[int, int, int]) -> Tensor:
        """Return (N, 3, 3): places of the result to places of the input, in pixels from the centre."""


def warp_by(geometric: Geometric, images: Tensor, drawn: Tensor) -> Tensor:
    """Warp a batch (N, C, H, W) by the matrices of one geometric augmentation."""
    check_drawn(images, drawn)
    return warp(images, geometric.matrix(drawn, size_of(images)))


class Mixes(Protocol):
    """An augmentation that mixes images and labels."""

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw for `count` images of size (C, H, W), the partner first."""

    def mix(self, images: Tensor, labels: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return images, the partners' labels and the weights of the own labels."""


def call_mixing(
    mixing: Mixes, images: Tensor, labels: Tensor, generator: Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix a batch (N, C, H, W) with labels (N,)."""
    check_images(images)
    check_generators([generator], 1)
    return mixing.mix(images, labels, mixing.draw(len(images), size_of(images), generator))
