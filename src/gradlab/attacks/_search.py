"""What black-box attacks share: candidates are asked in batches, the best is kept, and every question is counted."""

from __future__ import annotations

from collections.abc import Callable

from gradlab._torch import torch
from gradlab.attacks._goal import Goal, look
from gradlab.attacks.found import Found, Tally
from gradlab.models.light import light
from gradlab.types import UserError

TOGETHER = 512
"""Candidates, of one image or several, that the model sees at once."""


def check_counts(**counts: int) -> None:
    """Refuse a number of things below 1."""
    for name, count in counts.items():
        if count < 1:
            raise UserError(f"{name} must be at least 1, got {count}.")


def log_odds(logits: torch.Tensor, goal: Goal) -> torch.Tensor:
    """Return (N,) what a search makes large: the log odds of the target, or minus those of the label.

    log p - log(1 - p) orders candidates as the class's probability p does, and does not saturate where p is nearly 0 or 1.
    """
    classes = (goal.labels if goal.targets is None else goal.targets)[:, None]
    logits = logits.float()
    others = logits.scatter(1, classes, -torch.inf).logsumexp(1)
    odds = logits.gather(1, classes)[:, 0] - others
    return -odds if goal.targets is None else odds


class Search:
    """The best candidate of every image so far; an image is left alone from its first success on.

    At the beginning the images themselves are asked, one question each, as iteration 0.

    Attributes:
        images: (N, C, H, W) the best candidates. fitness: (N,) float32, their log odds.
    """

    def __init__(self, model: torch.nn.Module, images: torch.Tensor, goal: Goal) -> None:
        self.model, self.goal, self.tally = light(model, images), goal, Tally.of(images)
        self.images = images.clone()
        self.fitness = torch.full((len(images),), -torch.inf, device=images.device)
        if len(images):
            self.ask(self.going, 1, lambda part: images[part][:, None], 0)

    @property
    def going(self) -> torch.Tensor:
        """Rows of the images without a success."""
        return (~self.tally.is_done).nonzero()[:, 0]

    @property
    def found(self) -> Found:
        """The result."""
        return Found(self.images, self.tally.iterations, self.tally.queries)

    def ask(
        self, rows: torch.Tensor, count: int, build: Callable[[torch.Tensor], torch.Tensor], iteration: int
    ) -> torch.Tensor:
        """Ask `count` candidates for every one of these images, and keep the best.

        Args:
            rows: (n,) of images without a success, at least one. count: candidates of each.
            build: makes the candidates (m, count, C, H, W) of some of the rows, given by their places (m,) in `rows`.
            iteration: which one this is.
        Returns: (n, count) fitness of the candidates, float32; larger is nearer to the goal.
        """
        parts = torch.split(torch.arange(len(rows), device=rows.device), max(1, TOGETHER // count))
        return torch.cat([self._ask(rows[part], build(part), iteration) for part in parts])

    def _ask(self, rows: torch.Tensor, candidates: torch.Tensor, iteration: int) -> torch.Tensor:
        count = candidates.shape[1]
        goal = self.goal.rows(rows.repeat_interleave(count))
        seen = look(self.model, candidates.flatten(0, 1), goal, gradient=False)
        fitness, is_reached = log_odds(seen.logits, goal).view(-1, count), seen.is_reached.view(-1, count)
        done = is_reached.any(1)
        value, place = fitness.masked_fill(done[:, None] & ~is_reached, -torch.inf).max(1)
        better = (done | (value > self.fitness[rows])).nonzero()[:, 0]
        self.images[rows[better]] = candidates[better, place[better]]
        self.fitness[rows[better]] = value[better]
        self.tally.count(rows, done, iteration, queries=count)
        return fitness
