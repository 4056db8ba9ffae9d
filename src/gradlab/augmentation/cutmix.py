"""CutMix: a box of each image shows a partner of its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CutMix:
    """Replace a box of each image by that of a partner of its batch (Yun et al., 2019, arXiv:1905.04899, section 3.1).

    The box has sides H·sqrt(1 - λ) and W·sqrt(1 - λ) with λ from Beta(`alpha`, `alpha`), drawn for each image, about a
    uniform place, and is cut at the border; the own label weighs the share of pixels that are really its own.

    Attributes:
        alpha: both parameters of the Beta distribution; 0 mixes nothing, 1 is uniform.
        probability: share of the images that are mixed.
    """

    kind: Literal["cutmix"] = "cutmix"
    alpha: Annotated[float, within(0, 100)] = 1.0
    probability: Chance = 1.0

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:
        """Draw (count, 5): the partner's place in the batch, and top, left, height, width of the box in whole pixels."""
        import torch

        from gradlab.augmentation._draws import beta, chosen

        rows = chosen(count, self.probability, generator)
        partners = torch.randperm(count, generator=generator).float()
        side = (1 - beta(count, self.alpha, generator)).sqrt()
        edges = [_cut(torch.rand(count, generator=generator), side, length) for length in size[1:]]
        box = torch.stack([edge[k] for k in range(2) for edge in edges], dim=1)
        return torch.cat([partners[:, None], torch.where(rows[:, None], box, 0.0)], dim=1)

    def mix(self, images: Tensor, labels: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Put its partner's box into each image.

        Args:
            images: (B, C, H, W), or (S, B, C, H, W) for S stacked seeds; float in [0, 1].
            labels: (B,) or (S, B) int64.
            drawn: (B, 5) or (S, B, 5).
        Returns: images of the same shape; the partners' labels, shaped as `labels`; the weight of the own label, likewise.
        """
        import torch

        from gradlab.augmentation._box import inside
        from gradlab.augmentation._partners import partners_of

        others, other_labels = partners_of(images, labels, drawn)
        boxes = drawn[..., 1:].to(images.device)
        height, width = images.shape[-2:]
        mixed = torch.where(inside(boxes, height, width), others, images)
        weights = 1 - boxes[..., 2] * boxes[..., 3] / (height * width)
        return mixed, other_labels, weights.to(images.dtype)

    def __call__(
        self, images: Tensor, labels: Tensor, *, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mix images (N, C, H, W) in [0, 1] and labels (N,): images, partners' labels, weights of the own labels."""
        from gradlab.augmentation._call import call_mixing

        return call_mixing(self, images, labels, generator)


def _cut(numbers: Tensor, side: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Start and length in whole pixels of a box of `side` parts of an axis about a uniform pixel, cut at the border."""
    middle, half = (numbers * length).floor(), (side * length).floor().div(2, rounding_mode="floor")
    start, stop = (middle - half).clamp(min=0), (middle + half).clamp(max=length)
    return start, stop - start
