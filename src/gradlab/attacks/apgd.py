"""Auto-PGD: projected gradient descent that chooses its own step sizes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._apgd_run import Run
from gradlab.attacks._ball import Ball, check_radius
from gradlab.attacks._checks import stream_of
from gradlab.attacks._goal import Goal, look, prepare
from gradlab.attacks._losses import check_two_classes
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks._worst import Worst
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.targets import likeliest_others
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Radius, UserError


def apgd(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    norm: Literal["linf", "l2"],
    steps: int,
    restarts: int,
    loss: Literal["ce", "dlr"],
    target_classes: int,
    random_start: bool,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Auto-PGD (Croce & Hein, 2020, arXiv:2003.01690, algorithm 1), with the published checkpoints.

    The step is 2·eps at first, with a share of 0.25 of the last move as momentum; at checkpoints it is halved, and the
    search goes back to the best point, where fewer than 75 % of the steps since the last one raised the loss, or where
    neither the step nor the best loss has changed. An image is left alone once it reaches the goal.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255 for L-infinity and 0.5 for L2.
        norm: "linf" or "l2".
        steps: gradient steps of one start, at least 1.
        restarts: how often to start, for each class in turn where there are several.
        loss: "ce", cross-entropy, or "dlr", the ratio of differences of logits, which no scaling of the logits hides.
        target_classes: 0 goes away from the label; with T > 0 it goes towards the T likeliest other classes, one after
            the other; any other class than the label is a success still.
        random_start: start at a random point, else at the images.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are a success.
        generator: source of the random starts, drawn where it lies; left out, the starts are those of seed 0.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; no gradient attached. Iteration 0
        is the image as given; iterations are steps of all starts.

    Raises:
        UserError: as `pgd` does.
    """
    _check(eps, norm, restarts, random_start)
    generator = stream_of(generator)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets, loss)
        worst, around, quick = Worst.of(images), Ball.around(images, eps, norm), light(model, images)
        if not len(images):
            return worst.found()
        seen = look(quick, images, goal, gradient=False)
        check_two_classes(seen.logits)
        worst.keep(torch.arange(len(images), device=images.device), images, seen.loss, seen.is_reached, 0)
        before = 0
        for one in _goals(goal, seen.logits, target_classes):
            for _ in range(restarts):
                rows, start = worst.open, _start(around, generator) if random_start else images
                Run(quick, one.rows(rows), around.rows(rows), steps).climb(start[rows], rows, worst, before)
                before += steps + 1
    return worst.found()


def _goals(goal: Goal, logits: torch.Tensor, target_classes: int) -> list[Goal]:
    """Return the goal, or the same goal by way of each of the likeliest other classes."""
    if goal.targets is not None or not target_classes:
        return [goal]
    others = likeliest_others(logits, goal.labels, target_classes)
    return [Goal(goal.labels, None, goal.criterion, aims) for aims in others.T]


def _start(around: Ball, generator: torch.Generator) -> torch.Tensor:
    """Return a random direction from each image, out to the border of its ball, inside [0, 1]."""
    images = around.images
    draw = torch.rand if around.norm == "linf" else torch.randn
    noise = draw(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
    noise = (2 * noise - 1 if around.norm == "linf" else noise).to(images.device)
    order = torch.inf if around.norm == "linf" else 2
    sizes = noise.flatten(1).norm(order, dim=1).view(-1, 1, 1, 1)
    return around.project(images + around.eps * noise / sizes)


def _check(eps: float, norm: Literal["linf", "l2"], restarts: int, random_start: bool) -> None:
    check_radius(eps, norm)
    if restarts > 1 and not random_start:
        raise UserError(
            f"{restarts} restarts without a random start are {restarts} times the same; take one, or random_start=True."
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class APGD(Explorer):
    """Projected gradient descent that chooses its own step sizes; it stops where an image is fooled.

    Attributes:
        eps: radius on the [0, 1] pixel scale, such as 8/255; for L2 often 0.5.
        norm: linf or l2.
        steps: gradient steps of one start.
        restarts: random starts, for each class in turn where there are several.
        loss: ce (cross-entropy) or dlr (difference-of-logits ratio).
        target_classes: 0 goes away from the label, T towards the T likeliest other classes one after the other.
        random_start: start at a random point instead of at the image.
    """

    attack: ClassVar = staticmethod(apgd)
    kind: Literal["apgd"] = "apgd"
    eps: Radius = 8 / 255
    norm: Literal["linf", "l2"] = "linf"
    steps: Count = 100
    restarts: Count = 1
    loss: Literal["ce", "dlr"] = "ce"
    target_classes: Annotated[int, Field(ge=0)] = 0
    random_start: bool = True

    def __post_init__(self) -> None:
        _check(self.eps, self.norm, self.restarts, self.random_start)

    @property
    def is_random(self) -> bool:
        """Whether it draws."""
        return self.random_start
