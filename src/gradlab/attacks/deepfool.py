"""DeepFool: the shortest way to the nearest class by linear steps."""

from __future__ import annotations

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
from gradlab.attacks.project_plane import project_plane
from gradlab.attacks.targets import likeliest_others
from gradlab.models.light import Model, light
from gradlab.types import STRICT, Count, NonNegativeFloat, Radius

BEYOND = 1e-6
"""By which a move ends beyond the border, in every pixel or in L2 as long as that: sixteen units in the last place of float32."""
ENOUGH = 0.99
"""Share of a gap from which on a move is said to close it; the rest is rounding."""


def deepfool(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    norm: Literal["linf", "l2"],
    steps: int,
    overshoot: float,
    classes: int,
    targets: torch.Tensor | None = None,
) -> Closest:
    """DeepFool (Moosavi-Dezfooli et al., 2016, arXiv:1511.04599, algorithm 2), inside [0, 1].

    In each step the network is taken for linear, and the image moves just onto the border of the class that is nearest
    then. All moves together are lengthened by the overshoot. The paper knows no bounds of the pixels: here the border is
    the part of it inside [0, 1], so that pixels at 0 or 1 leave the way to the others, and from the second step on each move
    ends a little beyond it, where rounding cannot undo the move.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        norm: "l2" or "linf": by which the way is short.
        steps: at most so many; an image is left alone once it reaches the goal.
        overshoot: by which share the way is lengthened, at least 0; 0.02 as published.
        classes: how many of the likeliest other classes are considered; 10 as published.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are considered.

    Returns: the nearest success of each image; `found(eps)` gives those within a radius. Iterations are steps.

    Raises:
        UserError: as `pgd` does about images, labels, targets and the model.
    """
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        closest = Closest.of(images, norm)
        if len(images):
            quick = light(model, images)
            _Way(quick, goal, norm, overshoot).go(closest, _aims(quick, images, goal, classes), steps)
    return closest


def _aims(model: Model, images: torch.Tensor, goal: Goal, classes: int) -> torch.Tensor:
    """Return (N, M) int64, the classes that are considered."""
    if goal.targets is not None:
        return goal.targets[:, None]
    logits = look(model, images, goal, gradient=False).logits
    check_two_classes(logits)
    return likeliest_others(logits, goal.labels, classes)


class _Way:
    """Linear steps of every image towards the border of the nearest class."""

    def __init__(self, model: Model, goal: Goal, norm: Literal["linf", "l2"], overshoot: float) -> None:
        self.model, self.goal, self.norm, self.overshoot = model, goal, norm, overshoot

    def go(self, closest: Closest, aims: torch.Tensor, steps: int) -> None:
        """Take the steps and keep what is reached."""
        start = closest.start
        rows, points = torch.arange(len(start), device=start.device), start
        way = torch.zeros_like(start)
        for step in range(steps + 1):
            goal = self.goal.rows(rows)
            logits, gaps, slopes = self._slopes(points, goal, aims[rows])
            is_reached = goal.is_reached(logits)
            closest.keep(rows, points, is_reached, step)
            going = (~is_reached).nonzero()[:, 0]
            if step == steps or not len(going):
                return
            if not step:
                doubt(slopes[:, 0], logits)
            rows, here = rows[going], points[going]
            move = self._shortest(here, gaps[going], slopes[going], BEYOND if step else 0.0)
            points = (start[rows] + (1 + self.overshoot) * (way[rows] + move)).clamp(0, 1)
            way[rows] = (points - start[rows]) / (1 + self.overshoot)  # without what the bounds have cut off

    def _slopes(
        self, points: torch.Tensor, goal: Goal, aims: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits (n, K), how far the aims' logits lie behind (n, M), and the gradients of that (n, M, C, H, W)."""
        leaf = points.detach().requires_grad_()
        logits = check_logits(asked(self.model, leaf), goal.labels, goal.targets)
        ahead = logits.gather(1, aims) - logits.gather(1, goal.labels[:, None])
        last = aims.shape[1] - 1
        slopes = [gradient_of(ahead[:, m].sum(), leaf, retain=m < last) for m in range(last + 1)]
        return logits.detach(), -ahead.detach(), torch.stack(slopes, 1)

    def _shortest(
        self, points: torch.Tensor, gaps: torch.Tensor, slopes: torch.Tensor, beyond: float
    ) -> torch.Tensor:
        """Return (n, C, H, W), the shortest of the moves inside [0, 1] that would close the gaps were the model linear.

        Where no move would, the one that would close the largest share of its gap.
        """
        count, aims = gaps.shape
        steep = torch.linalg.vector_norm(slopes.flatten(2), 2 if self.norm == "l2" else 1, dim=2)
        size = 1.0 if self.norm == "linf" else points[0].numel() ** 0.5
        heights = -(gaps + beyond * size * steep)
        each = points[:, None].expand_as(slopes).flatten(0, 1)
        moves = project_plane(each, slopes.flatten(0, 1), heights.flatten(), self.norm) - each
        gains = (moves * slopes.flatten(0, 1)).flatten(1).sum(1).view(count, aims)
        share = gains / (-heights).clamp(min=torch.finfo(heights.dtype).tiny)
        far = length(moves, self.norm).view(count, aims)
        far = torch.where(share >= ENOUGH, far, torch.inf)
        nearest = torch.where(far.isfinite().any(1), far.argmin(1), share.argmax(1))
        return moves.view_as(slopes)[torch.arange(count, device=points.device), nearest]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DeepFool(MinimumNorm):
    """The shortest way to the nearest class by linear steps; one search serves every radius.

    Attributes:
        eps: radius on the [0, 1] pixel scale beyond which a success does not count; left out, any does.
        norm: l2 or linf.
        steps: at most so many for an image.
        overshoot: by which share the way is lengthened.
        classes: how many of the likeliest other classes are considered.
        version: of the algorithm, so that a record of an older one is not taken for it.
    """

    kind: Literal["deepfool"] = "deepfool"
    eps: Radius | None = None
    norm: Literal["linf", "l2"] = "l2"
    steps: Count = 50
    overshoot: NonNegativeFloat = 0.02
    classes: Count = 10
    version: Literal[2] = 2

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
        """Look for the nearest success of each image; see `deepfool`."""
        return deepfool(
            model,
            images,
            labels,
            norm=self.norm,
            steps=self.steps,
            overshoot=self.overshoot,
            classes=self.classes,
            targets=targets,
        )
