"""The set of images that an attack may choose from: a ball of some norm around each image, inside [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gradlab._torch import torch
from gradlab.attacks._inward import exact
from gradlab.attacks.project_l1 import project_l1
from gradlab.attacks.project_l2 import project_l2
from gradlab.attacks.project_linf import ball
from gradlab.types import UserError, check_pixels

Norm = Literal["linf", "l2", "l1"]


def check_radius(value: float, norm: Norm, name: str = "eps") -> float:
    """Return a radius or step of a norm on the [0, 1] pixel scale.

    Raises:
        UserError: an L-infinity radius outside [0, 1], or another one that is negative or not finite.
    """
    if norm == "linf":
        return check_pixels(value, name)
    if not 0 <= value < float("inf"):
        raise UserError(
            f"{name} must be a number from 0 up on the [0, 1] pixel scale, got {value}; a usual {norm} radius is "
            f"{'0.5' if norm == 'l2' else '12'} for images of 32 × 32."
        )
    return value


def length(change: torch.Tensor, norm: Norm) -> torch.Tensor:
    """Return (N,) float64, the norm of the changes (N, ...)."""
    order = {"linf": torch.inf, "l2": 2, "l1": 1}[norm]
    found: torch.Tensor = torch.linalg.vector_norm(exact(change), order, dim=1).to(change.device)
    return found


@dataclass(frozen=True)
class Ball:
    """A ball around each of N images.

    Attributes:
        images: (N, C, H, W) in [0, 1]. eps: radius. norm: of the radius.
        low, high: smallest and largest images of an L-infinity ball, as the images; None for other norms.
    """

    images: torch.Tensor
    eps: float
    norm: Norm
    low: torch.Tensor | None = None
    high: torch.Tensor | None = None

    @classmethod
    def around(cls, images: torch.Tensor, eps: float, norm: Norm) -> Ball:
        """Return the ball around images; eps has been checked."""
        return cls(images, eps, norm, *(ball(images, eps) if norm == "linf" else ()))

    def rows(self, rows: torch.Tensor) -> Ball:
        """Return the balls around some of the images."""
        low, high = (None if one is None else one[rows] for one in (self.low, self.high))
        return replace(self, images=self.images[rows], low=low, high=high)

    def project(self, points: torch.Tensor) -> torch.Tensor:
        """Return the nearest points of the ball inside [0, 1]."""
        if self.low is not None:
            return points.clamp(self.low, self.high)
        return (project_l2 if self.norm == "l2" else project_l1)(points, self.images, self.eps)

    def start(self, generator: torch.Generator) -> torch.Tensor:
        """Return a uniform point of each ball, projected into [0, 1]."""
        return self.project(self.images + self._noise(generator).to(self.images.device))

    def _noise(self, generator: torch.Generator) -> torch.Tensor:
        """Draw where the generator lies; uniform in a ball by radial laws (Barthe et al., 2005, for L2 and L1)."""
        device, dtype, shape = generator.device, self.images.dtype, self.images.shape

        def uniform(size: Sequence[int]) -> torch.Tensor:
            return torch.rand(size, generator=generator, device=device, dtype=dtype)

        noise = uniform(shape)
        if self.norm == "linf":
            return self.eps * (2 * noise - 1)
        if self.norm == "l2":
            noise = torch.randn(shape, generator=generator, device=device, dtype=dtype)
            radius = uniform(shape[:1]) ** (1 / shape[1:].numel())
            noise *= (self.eps * radius / noise.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
            return noise
        sizes, last = -(1 - noise).log(), -(1 - uniform(shape[:1])).log()
        total = sizes.flatten(1).sum(1) + last
        return (uniform(shape) - 0.5).sign() * sizes * (self.eps / total).view(-1, 1, 1, 1)

    def ascend(
        self, points: torch.Tensor, gradient: torch.Tensor, step_size: float | torch.Tensor
    ) -> torch.Tensor:
        """Return points (N, C, H, W) one step of steepest ascent further, not yet projected.

        L-infinity: along the sign; L2: along the gradient; L1: into the numbers with the largest gradients, each up to
        the border of [0, 1], and no farther than to the border of the ball where there is room inside it. Steps are
        measured in the ball's own norm; a zero gradient moves nothing.
        """
        if self.norm == "linf":
            return points + step_size * gradient.sign()
        if self.norm == "l2":
            return points + step_size * unit(gradient)
        left = self.eps - (points - self.images).flatten(1).abs().sum(1, keepdim=True)
        return points + _largest_first(
            points, gradient, torch.where(left > 0.01 * step_size, left.clamp(max=step_size), step_size)
        )


def unit(gradient: torch.Tensor) -> torch.Tensor:
    """Return gradients (N, C, H, W) of Euclidean length 1, also where squares would underflow; zero stays zero."""
    tiny = torch.finfo(gradient.dtype).tiny
    scaled = gradient / gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=tiny)
    found: torch.Tensor = scaled / scaled.flatten(1).norm(dim=1).clamp(min=tiny).view(-1, 1, 1, 1)
    return found


def _largest_first(points: torch.Tensor, gradient: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return changes of L1 norms `sizes` (N, 1) that gain most on a linear function and stay in [0, 1]."""
    flat, slope = points.flatten(1), gradient.flatten(1)
    room = torch.where(slope > 0, 1 - flat, flat) * (slope != 0)
    order = slope.abs().argsort(dim=1, descending=True, stable=True)
    ranked = room.gather(1, order)
    spent = ranked.cumsum(1) - ranked
    taken = torch.minimum((sizes - spent).clamp(min=0), ranked)
    return (torch.zeros_like(flat).scatter(1, order, taken) * slope.sign()).view(points.shape)
