"""Mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance
from gradlab.types import STRICT, UserError, later

if TYPE_CHECKING:
    from torch import Generator, Tensor


def flip(images: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror images (N, C, H, W) left to right and top to bottom where the two columns of (N, 2) are not 0."""
    import torch

    for column, axis in enumerate((-1, -2)):
        rows = mirrored[:, column] != 0
        if bool(rows.any()):
            images = torch.where(rows.to(images.device)[:, None, None, None], images.flip(axis), images)
    return images


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Flip:
    """Mirror images left to right, and top to bottom if asked; exact.

    Attributes:
        probability: share of the images that are mirrored left to right.
        vertical: share of the images that are mirrored top to bottom, drawn by itself.
        alternate: in training, mirror each image left to right in every other epoch (Jordan, 2024, arXiv:2404.00498);
            chance decides in which of two. Where there are no epochs it changes nothing.
    """

    kind: Literal["flip"] = "flip"
    probability: Chance = 0.5
    vertical: Chance = 0.0
    alternate: bool = later(False)

    def __post_init__(self) -> None:
        if self.alternate and self.probability != 0.5:
            raise UserError(
                f"alternate mirrors each image in every other epoch, got probability={self.probability:g}; leave "
                "probability at 0.5, or drop alternate."
            )

    def draw(self, count: int, size: tuple[int, int, int], generator: Generator) -> Tensor:  # noqa: ARG002
        """Draw (count, 2) of 0 and 1: whether left to right, whether top to bottom."""
        import torch

        from gradlab.augmentation._draws import chosen

        columns = [chosen(count, share, generator) for share in (self.probability, self.vertical)]
        return torch.stack(columns, dim=1).float()

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Mirror images (N, C, H, W) whose draws are 1."""
        from gradlab.augmentation._checks import check_drawn

        check_drawn(images, drawn)
        return flip(images, drawn)

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment images (N, C, H, W) in [0, 1]."""
        from gradlab.augmentation._call import call

        return call(self, images, generator)
