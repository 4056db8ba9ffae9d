"""The attack of Carlini and Wagner: the smallest change in the L2 norm, by optimisation."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from dataclasses import fields
from typing import Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import check_radius
from gradlab.attacks._checks import doubt
from gradlab.attacks._closest import Closest, MinimumNorm
from gradlab.attacks._goal import Goal, look, prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.models.light import Model, light
from gradlab.types import STRICT, Count, NonNegativeFloat, PositiveFloat, Radius

INSIDE = 0.999999
"""By which images are drawn to the middle, so that their inverse tanh is finite."""
PATIENCE, ENOUGH = 10, 0.9999
"""Tenths of the steps after which the loss must have fallen to this share, or the image is left alone."""


def carlini_wagner(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    steps: int,
    step_size: float,
    searches: int,
    first_weight: float,
    confidence: float,
    targets: torch.Tensor | None = None,
) -> Closest:
    """The L2 attack of Carlini and Wagner (2017, arXiv:1608.04644, section VI).

    It minimises ‖change‖² + c·max(κ - margin, 0) by Adam over the inverse tanh of the image, so that [0, 1] is kept, and
    searches the smallest weight c that succeeds, for each image by itself: tenfold until the first success, then by halves.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        steps: of Adam for each weight. An image whose loss no longer falls is left alone earlier.
        step_size: of Adam; 0.01 as published.
        searches: how many weights are tried; 9 as published.
        first_weight: c at first; 0.001 as published.
        confidence: κ, by how much the wanted logit must lead; 0 is a success just so.
        targets: (N,) int64 in [0, K), other than the labels: only these classes are a success.

    Returns: the nearest success of each image; `found(eps)` gives those within a radius. Iterations are steps of all
        searches; 0 is the image as given.

    Raises:
        UserError: as `pgd` does about images, labels, targets and the model.
    """
    with undisturbed(model):
        images, goal = prepare(images, labels, targets, "margin")
        closest = Closest.of(images, "l2")
        if not len(images):
            return closest
        descent = _Descent(light(model, images), goal, steps, step_size, confidence)
        seen = look(descent.model, images, goal, gradient=True)
        assert seen.gradient is not None  # it was asked for
        doubt(seen.gradient, seen.logits)
        every = torch.arange(len(images), device=images.device)
        closest.keep(every, images, seen.is_reached & (seen.loss >= confidence), 0)
        weight = torch.full((len(images),), first_weight, dtype=images.dtype, device=images.device)
        low, high = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
        for search in range(searches):
            succeeds = descent.run(weight, closest, 1 + search * steps)
            low, high = torch.where(succeeds, low, weight), torch.where(succeeds, weight, high)
            weight = torch.where(high.isfinite(), (low + high) / 2, weight * 10)
    return closest


@plain_dataclass
class _State:
    """Adam over n images; every field has n rows."""

    rows: torch.Tensor
    inverse: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    checked: torch.Tensor

    def of(self, rows: torch.Tensor) -> _State:
        return _State(*(getattr(self, field.name)[rows] for field in fields(self)))


@plain_dataclass(frozen=True)
class _Descent:
    """Adam for one weight of each image."""

    model: Model
    goal: Goal
    steps: int
    step_size: float
    confidence: float

    def run(self, weight: torch.Tensor, closest: Closest, before: int) -> torch.Tensor:
        """Optimise from the images on, keep successes in `closest`, and say (N,) bool for which images there was one."""
        start, succeeds = closest.start, torch.zeros_like(weight, dtype=torch.bool)
        rows = (closest.distance > 0).nonzero()[:, 0]  # the rest reaches the goal without a change
        succeeds[closest.distance == 0] = True
        inverse, zeros = ((2 * start[rows] - 1) * INSIDE).atanh(), torch.zeros_like(start[rows])
        state = _State(rows, inverse, zeros, zeros, torch.full_like(weight[rows], torch.inf))
        for step in range(self.steps):
            if not len(state.rows):
                break
            bent = state.inverse.tanh()
            points = ((bent + 1) / 2).clamp(0, 1)
            seen = look(self.model, points, self.goal.rows(state.rows), gradient=True)
            is_reached = seen.is_reached & (seen.loss >= self.confidence)
            closest.keep(state.rows, points, is_reached, before + step)
            succeeds[state.rows[is_reached]] = True
            change = points - start[state.rows]
            assert seen.gradient is not None  # it was asked for
            short = (seen.loss < self.confidence).to(change.dtype) * weight[state.rows]
            slope = (2 * change - short.view(-1, 1, 1, 1) * seen.gradient) * (1 - bent**2) / 2
            state = self._adam(state, slope, step)
            if step % max(1, self.steps // PATIENCE) == 0:
                loss = (change**2).sum((1, 2, 3)) + (self.confidence - seen.loss).clamp(min=0) * weight[
                    state.rows
                ]
                going = (loss <= ENOUGH * state.checked).nonzero()[:, 0]
                state.checked = loss
                state = state.of(going)
        return succeeds

    def _adam(self, state: _State, slope: torch.Tensor, step: int) -> _State:
        """Take one step of Adam (Kingma & Ba, 2015) with its usual decays."""
        mean = 0.9 * state.mean + 0.1 * slope
        square = 0.999 * state.square + 0.001 * slope**2
        scaled = (mean / (1 - 0.9 ** (step + 1))) / ((square / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
        return _State(state.rows, state.inverse - self.step_size * scaled, mean, square, state.checked)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CarliniWagner(MinimumNorm):
    """The smallest change in the L2 norm, by optimisation; strong and slow; one search serves every radius.

    Attributes:
        eps: L2 radius on the [0, 1] pixel scale beyond which a success does not count; left out, any does.
        steps: of Adam for each weight. step_size: of Adam.
        searches: how many weights of the margin are tried. first_weight: the first of them.
        confidence: by how much the wanted logit must lead.
    """

    kind: Literal["carlini-wagner"] = "carlini-wagner"
    eps: Radius | None = None
    steps: Count = 1000
    step_size: PositiveFloat = 0.01
    searches: Count = 9
    first_weight: PositiveFloat = 1e-3
    confidence: NonNegativeFloat = 0.0

    def __post_init__(self) -> None:
        if self.eps is not None:
            check_radius(self.eps, self.norm)

    @property
    def norm(self) -> Literal["l2"]:
        """Of its radius."""
        return "l2"

    def closest(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
    ) -> Closest:
        """Look for the nearest success of each image; see `carlini_wagner`."""
        return carlini_wagner(
            model,
            images,
            labels,
            steps=self.steps,
            step_size=self.step_size,
            searches=self.searches,
            first_weight=self.first_weight,
            confidence=self.confidence,
            targets=targets,
        )
