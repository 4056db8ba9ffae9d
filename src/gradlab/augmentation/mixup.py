"""Mixup: each image is a weighted mean of itself and a partner of its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mixup:
    """Mix each image with a partner of its batch (Zhang et al., 2017, arXiv:1710.09412).

    The image becomes λ·image + (1 - λ)·partner with λ from Beta(`alpha`, `alpha`), drawn for each image; the loss is
    λ·loss(own label) + (1 - λ)·loss(partner's label). Partners are a permutation of the batch.

    Attributes:
        alpha: both parameters of the Beta distribution; 0 mixes nothing, 1 is uniform.
        probability: share of the images that are mixed.
    """

    kind: Literal["mixup"] = "mixup"
    alpha: Annotated[float, within(0, 100)] = 0.2
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count, 2): the partner's place in the batch, and the weight λ of the image itself."""
        import torch

        from gradlab.augmentation._draws import beta, chosen

        rows = chosen(count, self.probability, generator)
        partners = torch.randperm(count, generator=generator).float()
        weights = torch.where(rows, beta(count, self.alpha, generator), 1.0)
        return torch.stack([partners, weights], dim=1)

    def mix(self, images: Tensor, labels: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mix each image with its partner.

        Args:
            images: (B, C, H, W), or (S, B, C, H, W) for S stacked seeds; float in [0, 1].
            labels: (B,) or (S, B) int64.
            drawn: (B, 2) or (S, B, 2).
        Returns: images of the same shape; the partners' labels, shaped as `labels`; the weight of the own label, likewise.
        """
        from gradlab.augmentation._partners import partners_of

        others, other_labels = partners_of(images, labels, drawn)
        weights = drawn[..., 1].to(images.device, images.dtype)
        share = weights[..., None, None, None]
        mixed = (share * images + (1 - share) * others).clamp_(0, 1)
        return mixed, other_labels, weights

    def __call__(
        self, images: Tensor, labels: Tensor, *, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mix images (N, C, H, W) in [0, 1] and labels (N,): images, partners' labels, weights of the own labels."""
        from gradlab.augmentation._call import call_mixing

        return call_mixing(self, images, labels, generator)
