"""Fast adaptive boundary attack (FAB), its targeted form: the nearest success by projections onto linear borders."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from typing import Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._ball import check_radius, length
from gradlab.attacks._checks import check_logits, doubt
from gradlab.attacks._closest import Closest, MinimumNorm
from gradlab.attacks._goal import Goal, gradient_of, look, prepare
from gradlab.attacks._losses import check_two_classes
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Found
from gradlab.attacks.project_plane import project_plane
from gradlab.attacks.targets import likeliest_others
from gradlab.models.light import Model, light
from gradlab.types import STRICT, Count, Radius

BIAS, BEYOND, BACK = 0.1, 1.05, 0.9
"""Of the paper: at most this share of the original's projection; projections go beyond the border by this factor; a success is
drawn back towards the image by this one (α_max, η, β)."""


def fab(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    norm: Literal["linf", "l2"],
    steps: int,
    target_classes: int,
    radius: float | None = None,
    targets: torch.Tensor | None = None,
) -> Closest:
    """FAB (Croce & Hein, 2020, arXiv:1907.02044, algorithm 1), one target class at a time as in AutoAttack (FAB-T).

    As there, the paper's final search between image and success is left out.
    In each step the difference of two logits is taken for linear. The point and the original image are projected onto
    its zero inside [0, 1], and the next point lies between both projections. A success is drawn back towards the image.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        norm: "linf" or "l2".
        steps: for each class.
        target_classes: how many of the likeliest other classes are tried, one after the other.
        radius: an image with a success within this radius is left alone; None searches on for nearer ones.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are tried, and a success.

    Returns: the nearest success of each image; `found(eps)` gives those within a radius. Iterations are steps for all
        classes; 0 is the image as given.

    Raises:
        UserError: as `pgd` does about images, labels, targets and the model.
    """
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        closest = Closest.of(images, norm)
        if not len(images):
            return closest
        quick, every = light(model, images), torch.arange(len(images), device=images.device)
        seen = look(quick, images, goal, gradient=False)
        check_two_classes(seen.logits)
        closest.keep(every, images, seen.is_reached, 0)
        aims = goal.targets[:, None] if goal.targets is not None else (
            likeliest_others(seen.logits, goal.labels, target_classes)
        )  # fmt: skip
        for number, aim in enumerate(aims.T):
            _Search(quick, goal, norm, steps, radius).run(closest, aim, 1 + number * (steps + 1))
    return closest


@plain_dataclass(frozen=True)
class _Seen:
    """A look at n points: the aims' logits minus the labels' (n,), the gradient of that, and who has arrived (n,)."""

    gap: torch.Tensor
    slope: torch.Tensor
    is_reached: torch.Tensor

    def rows(self, rows: torch.Tensor) -> _Seen:
        return _Seen(self.gap[rows], self.slope[rows], self.is_reached[rows])


@plain_dataclass(frozen=True)
class _Search:
    """The search towards one class for each image."""

    model: Model
    goal: Goal
    norm: Literal["linf", "l2"]
    steps: int
    radius: float | None

    def run(self, closest: Closest, aims: torch.Tensor, before: int) -> None:
        """Search from the images on, and keep in `closest` what is nearer."""
        rows = (closest.distance > (self.radius or 0)).nonzero()[:, 0]  # the rest is won
        points = closest.start[rows]
        for step in range(self.steps + 1):
            seen = self._look(points, rows, aims)
            closest.keep(rows, points, seen.is_reached, before + step)
            if self.radius is not None:
                going = (closest.distance[rows] > self.radius).nonzero()[:, 0]
                rows, points, seen = rows[going], points[going], seen.rows(going)
            if step == self.steps or not len(rows):
                return
            if not step and before == 1:
                doubt(seen.slope)
            points = self._back(closest, aims, rows, points, seen, before + step)
            points = self._next(points, closest.start[rows], seen.gap, seen.slope)

    def _back(
        self,
        closest: Closest,
        aims: torch.Tensor,
        rows: torch.Tensor,
        points: torch.Tensor,
        seen: _Seen,
        iteration: int,
    ) -> torch.Tensor:
        """Draw successes back towards their images, and look again there; `seen` is brought up to date."""
        there = seen.is_reached.nonzero()[:, 0]
        if not len(there):
            return points
        start = closest.start[rows[there]]
        nearer = start + BACK * (points[there] - start)
        again = self._look(nearer, rows[there], aims)
        closest.keep(rows[there], nearer, again.is_reached, iteration)
        points = points.clone()
        points[there], seen.gap[there], seen.slope[there] = nearer, again.gap, again.slope
        return points

    def _look(self, points: torch.Tensor, rows: torch.Tensor, aims: torch.Tensor) -> _Seen:
        """See how far the aims' logits lie ahead of the labels'."""
        leaf, goal = points.detach().requires_grad_(), self.goal.rows(rows)
        logits = check_logits(asked(self.model, leaf), goal.labels, goal.targets)
        aim, label = (logits.gather(1, one[:, None])[:, 0] for one in (aims[rows], goal.labels))
        slope = gradient_of((aim - label).sum(), leaf)
        return _Seen((aim - label).detach(), slope, goal.is_reached(logits.detach()))

    def _next(
        self, points: torch.Tensor, images: torch.Tensor, gap: torch.Tensor, slope: torch.Tensor
    ) -> torch.Tensor:
        """Return the point between the projections of the point and of its image (eqs. 9 and 10)."""
        value = gap + (slope * (images - points)).sum((1, 2, 3))  # the linear function at the image
        own, original = (
            project_plane(at, slope, height, self.norm) - at
            for at, height in ((points, gap), (images, value))
        )
        sizes = [length(one, self.norm).clamp(min=1e-8) for one in (own, original)]
        share = (sizes[0] / (sizes[0] + sizes[1])).clamp(max=BIAS).to(points.dtype).view(-1, 1, 1, 1)
        return ((points + BEYOND * own) * (1 - share) + (images + BEYOND * original) * share).clamp(0, 1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FAB(MinimumNorm):
    """The nearest success by projections onto linear borders (FAB-T); one search serves every radius.

    Attributes:
        eps: radius on the [0, 1] pixel scale beyond which a success does not count; left out, any does.
        norm: linf or l2.
        steps: for each class.
        target_classes: how many of the likeliest other classes are tried.
    """

    kind: Literal["fab"] = "fab"
    eps: Radius | None = None
    norm: Literal["linf", "l2"] = "linf"
    steps: Count = 100
    target_classes: Count = 9

    def __post_init__(self) -> None:
        if self.eps is not None:
            check_radius(self.eps, self.norm)

    def closest(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
    ) -> Closest:
        """Look for the nearest success of each image; see `fab`."""
        return self._search(None, model, images, labels, targets)

    def explore(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
        generator: torch.Generator | None = None,  # noqa: ARG002 - it does not draw
    ) -> Found:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,); with an `eps`, one is left alone at a success within it."""
        return self._search(self.eps, model, images, labels, targets).found(self.eps)

    def _search(
        self,
        radius: float | None,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        targets: torch.Tensor | None,
    ) -> Closest:
        return fab(
            model,
            images,
            labels,
            norm=self.norm,
            steps=self.steps,
            target_classes=self.target_classes,
            radius=radius,
            targets=targets,
        )
