"""The worst case of every image among all that an attack has looked at."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab._torch import torch
from gradlab.attacks.found import Found, Tally


@dataclass
class Worst:
    """What reaches the goal comes before what does not, then the larger loss.

    Attributes:
        images: (N, C, H, W). loss: (N,), -inf before the first look. is_reached: (N,) bool. tally: of all looks.
    """

    images: torch.Tensor
    loss: torch.Tensor
    is_reached: torch.Tensor
    tally: Tally

    @classmethod
    def of(cls, images: torch.Tensor) -> Worst:
        """Start at the images as given, before any look."""
        loss = torch.full((len(images),), -torch.inf, device=images.device, dtype=images.dtype)
        return cls(images.clone(), loss, torch.zeros_like(loss, dtype=torch.bool), Tally.of(images))

    def keep(
        self,
        rows: torch.Tensor,
        images: torch.Tensor,
        loss: torch.Tensor,
        is_reached: torch.Tensor,
        iteration: int,
    ) -> None:
        """Take over from images (n, C, H, W) of these rows (n,) what is worse, and count the look."""
        self.tally.count(rows, is_reached, iteration)
        reached, before = self.is_reached[rows], self.loss[rows]
        worse = (is_reached & ~reached) | ((is_reached == reached) & (loss > before))
        rows = rows[worse]
        self.images[rows], self.is_reached[rows] = images[worse], is_reached[worse]
        self.loss[rows] = loss[worse].to(self.loss.dtype)

    def found(self) -> Found:
        """Return what was found."""
        return Found(self.images, self.tally.iterations, self.tally.queries)

    @property
    def open(self) -> torch.Tensor:
        """(n,) int64: the rows that have not reached the goal."""
        return (~self.is_reached).nonzero()[:, 0]
