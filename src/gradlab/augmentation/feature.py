"""Augmentation in the features of a hidden layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from gradlab._configuration import dataclass
from gradlab.augmentation._units import Chance, within
from gradlab.types import STRICT, Count

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureAugmentation:
    """Change the features of a hidden layer in training (DeVries & Taylor, 2017, arXiv:1702.05538).

    For a feature vector c and a neighbour c' of its class, one of the nearest of the batch:
    "extrapolation" gives c + strength·(c - c'), "interpolation" c + strength·(c' - c), and "noise" adds strength times a
    normal number times the standard deviation of that feature over the batch. Rows without a neighbour stay.

    The paper's K neighbours are the nearest of a class in the whole training set, so that even 10 are near. Here they are
    those of the batch: of 128 images of ten classes about 12 share a class, and 10 neighbours are nearly all of them,
    the far ones too. About 3 at that size keep them near.

    Attributes:
        strength: part of the way from or to the neighbour, or standard deviations of noise (λ and γ of the paper); 0 changes
            nothing.
        neighbours: how many nearest of the same class and batch one is drawn from; about 3 keep them near at 128 a batch.
        probability: share of the rows that are changed.
    """

    kind: Literal["extrapolation", "interpolation", "noise"] = "extrapolation"
    strength: Annotated[float, within(0, 100)] = 0.5
    neighbours: Count = 10
    probability: Chance = 1.0

    def draw(self, count: int, width: int, generator: Generator) -> Tensor:
        """Draw for `count` rows of `width` features.

        Returns: (count, 2): 0 or 1 whether a row is changed, and a number in [0, 1) that picks its neighbour; for noise
            (count, 1 + width): 0 or 1, and standard normal numbers.
        """
        import torch

        from gradlab.augmentation._draws import chosen

        rows = chosen(count, self.probability, generator).float()[:, None]
        if self.kind == "noise":
            return torch.cat([rows, torch.randn(count, width, generator=generator)], dim=1)
        return torch.cat([rows, torch.rand(count, 1, generator=generator)], dim=1)

    def apply(self, features: Tensor, labels: Tensor, drawn: Tensor) -> Tensor:
        """Change features by their draws; the gradient flows through the features and through their neighbours.

        Args:
            features: (B, D), or (S, B, D) for S stacked seeds; any finite float.
            labels: (B,) or (S, B) int64.
            drawn: (B, k) or (S, B, k) as from `draw`.
        Returns: the shape and type of `features`; rows that are not chosen are bit-equal.
        Raises:
            UserError: the shapes do not belong together.
        """
        from gradlab.augmentation._features import add_noise, check_features, move

        check_features(features, labels, drawn, 1 + features.shape[-1] if self.kind == "noise" else 2)
        drawn = drawn.to(features.device)
        if self.strength == 0:
            return features
        if self.kind == "noise":
            return add_noise(features, drawn, self.strength)
        towards = self.strength if self.kind == "interpolation" else -self.strength
        return move(features, labels, drawn, towards, self.neighbours)

    def __call__(self, features: Tensor, labels: Tensor, *, generator: Generator) -> Tensor:
        """Augment features (B, D) of labels (B,)."""
        return self.apply(features, labels, self.draw(len(features), features.shape[-1], generator))
