"""Projected gradient descent in the L-infinity ball."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._checks import doubt
from gradlab.attacks._goal import Goal, look, prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found, Tally
from gradlab.attacks.project_linf import ball
from gradlab.types import STRICT, Count, PixelEps, UserError, check_pixels

REACH = 2.5
"""Steps of 2.5·eps/steps reach every point of the ball from every start (Madry et al., 2018, appendix)."""


def pgd(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    step_size: float,
    steps: int,
    restarts: int,
    random_start: bool,
    stop_at_success: bool,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Projected gradient descent in the L-infinity ball (Madry et al., 2018, arXiv:1706.06083).

    Of all iterates of all restarts each image keeps its worst case: one that reaches the goal (another prediction, or
    the target) before one that does not, then the one of the largest loss.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255.
        step_size: step on the same scale.
        steps: number of gradient steps; 0 returns the start.
        restarts: how often to start.
        random_start: start at a uniform point of the ball; else at the images.
        stop_at_success: leave an image alone once it reaches the goal, at its first success: as many images fooled,
            less work, a smaller loss.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.
        generator: source of the random starts, drawn where it lies; left out, the starts are those of seed 0.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; no gradient attached. Iterations
        are gradient steps of all restarts; 0 is the first start.

    Raises:
        UserError: images outside [0, 1] or of another type, class numbers out of range, eps or step size outside
            [0, 1], steps below 0, restarts that all start alike, or a model that does not return logits (N, K).
    """
    _check(eps, step_size, steps, restarts, random_start)
    generator = generator or torch.Generator().manual_seed(0)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        climb = _Climb(model, goal, *ball(images, eps), step_size, steps, stop_at_success)
        worst, tally = _Worst.none(images), Tally.of(images)
        for restart in range(restarts):
            start = _random(images, eps, generator) if random_start else images
            climb.run(start, worst, tally, restart * steps)
    return Found(worst.images, tally.iterations, tally.queries)


@plain_dataclass
class _Worst:
    """The worst case of every image so far.

    Attributes:
        images: (N, C, H, W). loss: (N,), -inf before the first look. is_reached: (N,) bool.
    """

    images: torch.Tensor
    loss: torch.Tensor
    is_reached: torch.Tensor

    @classmethod
    def none(cls, images: torch.Tensor) -> _Worst:
        loss = torch.full((len(images),), -torch.inf, device=images.device, dtype=images.dtype)
        return cls(images.clone(), loss, torch.zeros_like(loss, dtype=torch.bool))

    def keep(
        self, rows: torch.Tensor, images: torch.Tensor, loss: torch.Tensor, is_reached: torch.Tensor
    ) -> None:
        """Take over from images of these rows what is worse."""
        reached, before = self.is_reached[rows], self.loss[rows]
        worse = (is_reached & ~reached) | ((is_reached == reached) & (loss > before))
        rows = rows[worse]
        self.images[rows], self.is_reached[rows] = images[worse], is_reached[worse]
        self.loss[rows] = loss[worse].to(self.loss.dtype)


@plain_dataclass(frozen=True)
class _Climb:
    """The steps of one restart."""

    model: torch.nn.Module
    goal: Goal
    low: torch.Tensor
    high: torch.Tensor
    step_size: float
    steps: int
    stop_at_success: bool

    def run(self, start: torch.Tensor, worst: _Worst, tally: Tally, before: int) -> None:
        """Climb from `start`, `before` steps having been taken, and keep in `worst` what is worse than before."""
        rows = torch.arange(len(start), device=start.device)
        points = start.clamp(self.low, self.high)
        for step in range(self.steps + 1):
            if self.stop_at_success:
                going = ~worst.is_reached[rows]
                rows, points = rows[going], points[going]
            if not len(rows):
                return
            seen = look(self.model, points, self.goal.rows(rows), gradient=step < self.steps)
            worst.keep(rows, points, seen.loss, seen.is_reached)
            tally.count(rows, seen.is_reached, before + step)
            if seen.gradient is not None:
                if not step:
                    doubt(seen.gradient)
                moved = points + self.step_size * seen.gradient.sign()
                points = moved.clamp(self.low[rows], self.high[rows])


def _random(images: torch.Tensor, eps: float, generator: torch.Generator) -> torch.Tensor:
    noise = torch.rand(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
    return images + eps * (2 * noise.to(images.device) - 1)


def _check(eps: float, step_size: float, steps: int, restarts: int, random_start: bool) -> None:
    check_pixels(eps)
    check_pixels(step_size, "step_size")
    if steps < 0:
        raise UserError(f"steps counts gradient steps and must be at least 0, got {steps}.")
    if restarts < 1:
        raise UserError(f"restarts counts starts and must be at least 1, got {restarts}.")
    if restarts > 1 and not random_start:
        raise UserError(
            f"{restarts} restarts without a random start are {restarts} times the same; take one, or random_start=True."
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PGD(Explorer):
    """Projected gradient descent in the L-infinity ball, the worst case of all iterates kept.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        step_size: on the same scale; left out it is 2.5·eps/steps, so that it follows the radius.
        steps: gradient steps; 0 is the random start alone.
        restarts: random starts, of which each image keeps its worst case.
        random_start: start at a uniform point of the ball instead of at the image.
        stop_at_success: leave an image alone once it is fooled.
    """

    kind: Literal["pgd"] = "pgd"
    eps: PixelEps = 8 / 255
    step_size: PixelEps | None = None
    steps: Annotated[int, Field(ge=0)] = 10
    restarts: Count = 1
    random_start: bool = True
    stop_at_success: bool = False

    def __post_init__(self) -> None:
        _check(self.eps, self.step, self.steps, self.restarts, self.random_start)

    @property
    def step(self) -> float:
        """The step size that is used."""
        if self.step_size is not None:
            return self.step_size
        return min(1.0, REACH * self.eps / max(1, self.steps))

    @property
    def is_random(self) -> bool:
        """Whether it draws."""
        return self.random_start

    def explore(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Found:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,); see `pgd`."""
        return pgd(
            model,
            images,
            labels,
            eps=self.eps,
            step_size=self.step,
            steps=self.steps,
            restarts=self.restarts,
            random_start=self.random_start,
            stop_at_success=self.stop_at_success,
            targets=targets,
            generator=generator,
        )
