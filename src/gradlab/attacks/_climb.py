"""Steps of steepest ascent inside a ball, with or without memory of earlier gradients."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab._torch import torch
from gradlab.attacks._ball import Ball, Norm, check_radius
from gradlab.attacks._checks import doubt
from gradlab.attacks._goal import Goal, look
from gradlab.attacks._worst import Worst
from gradlab.models.light import Model
from gradlab.types import UserError

REACH = 2.5
"""Steps of 2.5·eps/steps reach every point of the ball from every start (Madry et al., 2018, appendix)."""
ACROSS = 2.0
"""A first step of 2·eps crosses the ball, so that steps that fall from there forget a random start that lies wrong."""


@dataclass(frozen=True)
class Climb:
    """The steps of one start.

    Attributes:
        decay: what is kept of earlier gradients, each scaled to a mean size of 1; None for the last gradient alone.
        falling: steps fall linearly, from `step_size` to `step_size` / `steps`.
    """

    model: Model
    goal: Goal
    ball: Ball
    step_size: float
    steps: int
    stop_at_success: bool
    decay: float | None = None
    falling: bool = False

    def run(self, points: torch.Tensor, worst: Worst, before: int = 0) -> None:
        """Climb from `points` in the ball, `before` steps having been taken, and keep in `worst` what is worse."""
        rows = torch.arange(len(points), device=points.device)
        ball, goal, memory = self.ball, self.goal, torch.zeros_like(points)
        for step in range(self.steps + 1):
            if self.stop_at_success and worst.is_reached[rows].any():
                going = (~worst.is_reached[rows]).nonzero()[:, 0]
                rows, points, memory = rows[going], points[going], memory[going]
                ball, goal = ball.rows(going), goal.rows(going)
            if not len(rows):
                return
            sparing = self.stop_at_success and step > 0
            seen = look(self.model, points, goal, gradient=step < self.steps, sparing=sparing)
            worst.keep(rows, points, seen.loss, seen.is_reached, before + step)
            if seen.gradient is not None:
                if not step:
                    doubt(seen.gradient, seen.logits)
                memory = self._direction(memory, seen.gradient)
                size = self.step_size * (1 - step / self.steps) if self.falling else self.step_size
                points = ball.project(ball.ascend(points, memory, size))

    def _direction(self, memory: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        if self.decay is None:
            return gradient
        size = gradient.abs().mean((1, 2, 3), keepdim=True)
        return self.decay * memory + gradient / size.clamp(min=torch.finfo(size.dtype).tiny)


def check_steps(eps: float, step_size: float, steps: int, norm: Norm = "linf") -> None:
    """Refuse radii and steps that make no sense.

    Raises:
        UserError: as its sentence says.
    """
    check_radius(eps, norm)
    check_radius(step_size, norm, "step_size")
    if steps < 0:
        raise UserError(f"steps counts gradient steps and must be at least 0, got {steps}.")


def default_step(eps: float, steps: int, norm: Norm = "linf", *, falling: bool = False) -> float:
    """Return 2.5·eps/steps, of falling steps the first, 2·eps; at most 1 where the norm is L-infinity."""
    step = ACROSS * eps if falling else REACH * eps / max(1, steps)
    return min(1.0, step) if norm == "linf" else step
