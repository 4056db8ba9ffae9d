"""Projected gradient descent in an L-infinity, L2 or L1 ball."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Ball, Norm
from gradlab.attacks._checks import stream_of
from gradlab.attacks._climb import Climb, check_steps, default_step
from gradlab.attacks._goal import prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks._worst import Worst
from gradlab.attacks.found import Explorer, Found
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Radius, UserError, later

Schedule = Literal["constant", "linear"]


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
    norm: Norm = "linf",
    schedule: Schedule = "constant",
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Projected gradient descent (Madry et al., 2018, arXiv:1706.06083).

    Steps are of steepest ascent in the ball's own norm, and projections are exact onto ball and [0, 1] together. Of the
    iterates of all restarts each image keeps its worst case: one that reaches the goal (another prediction, or the
    target) before one that does not, then the one of the largest loss.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255 for L-infinity, 0.5 for L2, 12 for L1.
        step_size: step in the same norm and on the same scale.
        steps: number of gradient steps; 0 returns the start.
        restarts: how often to start.
        random_start: start at a uniform point of the ball; else at the images.
        stop_at_success: leave an image alone once it reaches the goal, at its first success: the same images are fooled,
            with less work and smaller losses. False takes every step, for the strongest image.
        norm: "linf", "l2" or "l1".
        schedule: "constant", or "linear": steps fall from `step_size` to `step_size` / `steps`.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.
        generator: source of the random starts, drawn where it lies; left out, the starts are those of seed 0.

    Returns: images (N, C, H, W) float in [0, 1], at most `eps` from `images`, exactly; no gradient attached. Iterations
        are gradient steps of all restarts; 0 is the first start.

    Raises:
        UserError: images outside [0, 1] or of another type, class numbers out of range, a radius or step that is none,
            steps below 0, restarts that all start alike, or a model that does not return logits (N, K).
    """
    _check(eps, step_size, steps, restarts, random_start, norm)
    generator = stream_of(generator)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        around, worst = Ball.around(images, eps, norm), Worst.of(images)
        climb = Climb(
            light(model, images),
            goal,
            around,
            step_size,
            steps,
            stop_at_success,
            falling=schedule == "linear",
        )
        for restart in range(restarts):
            climb.run(around.start(generator) if random_start else images, worst, restart * steps)
    return worst.found()


def _check(eps: float, step_size: float, steps: int, restarts: int, random_start: bool, norm: Norm) -> None:
    check_steps(eps, step_size, steps, norm)
    if restarts < 1:
        raise UserError(f"restarts counts starts and must be at least 1, got {restarts}.")
    if restarts > 1 and not random_start:
        raise UserError(
            f"{restarts} restarts without a random start are {restarts} times the same; take one, or random_start=True."
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PGD(Explorer):
    """Projected gradient descent in an L-infinity, L2 or L1 ball: each image's first success, or else its largest loss.

    Attributes:
        eps: radius on the [0, 1] pixel scale, such as 8/255; for L2 often 0.5, for L1 12.
        step_size: on the same scale; left out it follows the radius: 2.5·eps/steps, in L2 and L1 at first 2·eps.
        steps: gradient steps; 0 is the random start alone.
        restarts: random starts, of which each image keeps its worst case.
        random_start: start at a uniform point of the ball instead of at the image.
        stop_at_success: leave an image alone once it is fooled. False takes every step and keeps the largest loss: for the
            strongest image, such as one to train on, to show, or to try on other networks.
        norm: linf, l2 or l1.
        schedule: constant, or linear: steps fall evenly down to step_size/steps. Left out, they fall in L2 and L1 where no
            step_size is given: constant ones turn a random start too slowly to reach the optimum of a linear model.
    """

    attack: ClassVar = staticmethod(pgd)
    kind: Literal["pgd"] = "pgd"
    eps: Radius = 8 / 255
    step_size: Radius | None = None
    steps: Annotated[int, Field(ge=0)] = 10
    restarts: Count = 1
    random_start: bool = True
    stop_at_success: bool = True
    norm: Norm = later("linf")
    schedule: Schedule | None = later(None)

    def __post_init__(self) -> None:
        if self.schedule == "linear" and self._falls_by_itself:
            object.__setattr__(
                self, "schedule", None
            )  # as if left out, so that a step named later is taken as it is
        if self.step_size == 0 and self.eps and self.steps:
            raise UserError(
                "a step_size of 0 goes nowhere; leave it out, or give one above 0, such as 2/255."
            )
        _check(self.eps, self.step, self.steps, self.restarts, self.random_start, self.norm)

    @property
    def step(self) -> float:
        """The step size that is used; where steps fall, the first."""
        if self.step_size is not None:
            return self.step_size
        return default_step(self.eps, self.steps, self.norm, falling=self._schedule == "linear")

    @property
    def _falls_by_itself(self) -> bool:
        return self.norm != "linf" and self.step_size is None

    @property
    def _schedule(self) -> Schedule:
        return self.schedule or ("linear" if self._falls_by_itself else "constant")

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Say in the record that steps fall, also where that was left out: older records without a word had constant ones."""
        written: dict[str, Any] = write(self)
        return written | ({"schedule": "linear"} if self._schedule == "linear" else {})

    @property
    def is_random(self) -> bool:
        """Whether it draws."""
        return self.random_start

    def settings(self) -> dict[str, Any]:
        """Return what the function is told: the step that is used, also where none is given."""
        return super().settings() | {"step_size": self.step, "schedule": self._schedule}
