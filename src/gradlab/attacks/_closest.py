"""Attacks that look for the nearest image that reaches the goal: what they found, at any radius."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradlab._torch import torch
from gradlab.attacks._ball import Norm, length
from gradlab.attacks.found import Explorer, Found, Tally


@dataclass
class Closest:
    """The nearest success of every image so far, and the way there.

    Attributes:
        start: (N, C, H, W) images as given. norm: of the distance.
        images: (N, C, H, W) the nearest success, the image as given where there is none.
        distance: (N,) float64, infinite where there is none. queries: (N,) int64, all of them.
        nearer: every improvement, as rows, distances, iteration and queries.
    """

    start: torch.Tensor
    norm: Norm
    images: torch.Tensor
    distance: torch.Tensor
    queries: torch.Tensor
    nearer: list[tuple[torch.Tensor, torch.Tensor, int, torch.Tensor]] = field(default_factory=list)

    @classmethod
    def of(cls, images: torch.Tensor, norm: Norm) -> Closest:
        """Start with no success."""
        distance = torch.full((len(images),), torch.inf, dtype=torch.float64, device=images.device)
        return cls(images, norm, images.clone(), distance, torch.zeros_like(distance, dtype=torch.int64))

    def keep(
        self, rows: torch.Tensor, points: torch.Tensor, is_reached: torch.Tensor, iteration: int
    ) -> None:
        """Count a look at points (n, C, H, W) of these rows (n,), and take over successes that are nearer."""
        self.queries[rows] += 1
        rows, points = rows[is_reached], points[is_reached]
        if len(rows):
            distance = length(points.double() - self.start[rows].double(), self.norm)
            better = distance < self.distance[rows]
            rows, distance = rows[better], distance[better]
            self.images[rows], self.distance[rows] = points[better], distance
            self.nearer.append((rows, distance, iteration, self.queries[rows]))

    def found(self, eps: float | None) -> Found:
        """Return the nearest successes within eps (None: at any distance), and what the first of them cost.

        Images without a success within eps come back as given.
        """
        radius = torch.inf if eps is None else eps
        tally = Tally(torch.full_like(self.queries, -1), self.queries.clone())
        for rows, distance, iteration, queries in self.nearer:
            first = (distance <= radius) & (tally.iterations[rows] < 0)
            tally.iterations[rows[first]], tally.queries[rows[first]] = iteration, queries[first]
        near = (self.distance <= radius).view(-1, 1, 1, 1)
        return Found(torch.where(near, self.images, self.start), tally.iterations, tally.queries)


class MinimumNorm(Explorer):
    """Attacks that find the nearest success whatever the radius: one search serves every radius."""

    eps: float | None

    def closest(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
    ) -> Closest:
        """Look for the nearest success of each image."""
        raise NotImplementedError(
            f"{type(self).__name__} has no closest; write it, see gradlab/attacks/deepfool.py."
        )

    def explore(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
        generator: torch.Generator | None = None,  # noqa: ARG002 - none of them draws
    ) -> Found:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,); what lies farther than `eps` is no success."""
        return self.closest(model, images, labels, targets=targets).found(self.eps)

    @property
    def is_random(self) -> bool:
        """Whether it draws: never."""
        return False
