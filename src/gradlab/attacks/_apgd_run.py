"""One start of Auto-PGD: its state, its step, and its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gradlab._torch import torch
from gradlab.attacks._ball import Ball
from gradlab.attacks._checks import doubt
from gradlab.attacks._goal import Goal, Look, look
from gradlab.attacks._worst import Worst
from gradlab.models.light import Model

MOMENTUM = 0.75
"""Share of the new move; the rest is the last one's."""
RISES = 0.75
"""Share of steps that must raise the loss, or the step size is halved."""


@dataclass(frozen=True)
class Run:
    """Where to climb, and for how long."""

    model: Model
    goal: Goal
    ball: Ball
    steps: int

    def climb(self, points: torch.Tensor, rows: torch.Tensor, worst: Worst, before: int) -> None:
        """Climb from `points` (n, C, H, W), the images `rows` (n,) of all, and keep in `worst` what is worse."""
        ball, goal = self.ball, self.goal
        checkpoints, state = set(checkpoints_of(self.steps)), None
        for step in range(self.steps + 1):
            if not len(rows):
                return
            seen = look(self.model, points, goal, gradient=step < self.steps, sparing=step > 0)
            worst.keep(rows, points, seen.loss, seen.is_reached, before + step + 1)
            if seen.gradient is None:
                return
            if state is None:
                doubt(seen.gradient, seen.logits)
                state = State.start(points, seen, 2 * ball.eps)
            else:
                state.take(points, seen)
                if step in checkpoints:
                    state.check()
            going = (~seen.is_reached).nonzero()[:, 0]
            if len(going) < len(rows):
                rows, ball, goal, state = rows[going], ball.rows(going), goal.rows(going), state.rows(going)
            points = state.move(ball)


def checkpoints_of(steps: int) -> list[int]:
    """Return after how many steps the step size is judged (section 3.1): at 22 %, then ever closer, at least 6 % apart.

    >>> checkpoints_of(100)
    [22, 41, 57, 70, 80, 87, 93, 99]
    """
    gap, least, shrink = (max(1, int(share * steps)) for share in (0.22, 0.06, 0.03))
    found, at = [], gap
    while at <= steps:
        found.append(at)
        gap = max(gap - shrink, least)
        at += gap
    return found


@dataclass
class State:
    """What n images under attack remember; every field has n rows.

    Attributes:
        point, gradient, loss: where they are. last: the point before. size: (n, 1, 1, 1) of the step.
        best, best_gradient, best_loss: the point of the largest loss. rises, looks: (n,) steps since the last checkpoint
            that raised the loss, and all. checked_loss: best loss at the last checkpoint. was_halved: (n,) bool, there.
    """

    point: torch.Tensor
    gradient: torch.Tensor
    loss: torch.Tensor
    last: torch.Tensor
    size: torch.Tensor
    best: torch.Tensor
    best_gradient: torch.Tensor
    best_loss: torch.Tensor
    rises: torch.Tensor
    looks: torch.Tensor
    checked_loss: torch.Tensor
    was_halved: torch.Tensor
    is_first: torch.Tensor

    @classmethod
    def start(cls, points: torch.Tensor, seen: Look, size: float) -> State:
        """Begin with a look at the first points; `size` is that of the first step."""
        assert seen.gradient is not None  # it was asked for
        loss, zeros = seen.loss, torch.zeros_like(seen.loss)
        sizes = torch.full_like(points[:, :1, :1, :1], size)
        best = points.clone(), seen.gradient.clone(), loss.clone()
        yes = torch.ones_like(zeros, dtype=torch.bool)
        return cls(
            points, seen.gradient, loss, points, sizes, *best, zeros, zeros.clone(), loss, yes, yes.clone()
        )

    def rows(self, rows: torch.Tensor) -> State:
        """Return the state of some of the images."""
        return State(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def take(self, points: torch.Tensor, seen: Look) -> None:
        """Arrive at the next points and see how it looks there."""
        assert seen.gradient is not None  # it was asked for
        self.rises = self.rises + (seen.loss > self.loss)
        self.looks = self.looks + 1
        better = seen.loss > self.best_loss
        self.last, self.point, self.gradient, self.loss = self.point, points, seen.gradient, seen.loss
        self._copy(better, points, seen.gradient, seen.loss)

    def _copy(
        self, rows: torch.Tensor, points: torch.Tensor, gradient: torch.Tensor, loss: torch.Tensor
    ) -> None:
        wide = rows.view(-1, 1, 1, 1)
        self.best = torch.where(wide, points, self.best)
        self.best_gradient = torch.where(wide, gradient, self.best_gradient)
        self.best_loss = torch.where(rows, loss, self.best_loss)

    def check(self) -> None:
        """Halve the step and go back to the best point where the two conditions of section 3.1 say so."""
        wavers = self.rises <= RISES * self.looks
        stands = ~self.was_halved & (self.checked_loss >= self.best_loss)
        halved = wavers | stands
        wide = halved.view(-1, 1, 1, 1)
        self.size = torch.where(wide, self.size / 2, self.size)
        self.point = torch.where(wide, self.best, self.point)
        self.gradient = torch.where(wide, self.best_gradient, self.gradient)
        self.loss = torch.where(halved, self.best_loss, self.loss)
        self.was_halved, self.checked_loss = halved, self.best_loss
        self.rises, self.looks = torch.zeros_like(self.rises), torch.zeros_like(self.looks)

    def move(self, ball: Ball) -> torch.Tensor:
        """Return the next points: a step of steepest ascent, then a share of the last move (eqs. 3 and 4)."""
        ahead = ball.project(ball.ascend(self.point, self.gradient, self.size))
        mixed = self.point + MOMENTUM * (ahead - self.point) + (1 - MOMENTUM) * (self.point - self.last)
        found = torch.where(self.is_first.view(-1, 1, 1, 1), ahead, ball.project(mixed))
        self.is_first = torch.zeros_like(self.is_first)
        return found
