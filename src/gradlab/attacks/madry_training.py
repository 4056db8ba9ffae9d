"""Adversarial training on the images that PGD finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ascent import ascend, images_of, summed_loss, uniform_start
from gradlab.attacks._climb import default_step
from gradlab.attacks._judged import Judged
from gradlab.types import STRICT, Count, PixelEps

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Forward


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MadryTraining(Judged):
    """Train on what PGD makes of every batch, and on nothing else (Madry et al., 2018, arXiv:1706.06083, eq. 2.1).

    PGD starts at a uniform point of the ball and trains on its last iterate; it runs in eval mode. The statistics of batch
    norms are those of the attacked images. At eps 0 it is ordinary training, bit for bit. Seeds can be stacked.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        steps: gradient steps of the attack. step_size: on the same scale; left out it is 2.5·eps/steps.
        validation_steps: of the PGD that judges validation images at eps after every epoch; 0 for none.
        validation_every: it judges every k-th of them; 1 is all.
    """

    kind: Literal["madry"] = "madry"
    eps: PixelEps = 8 / 255
    steps: Count = 7
    step_size: PixelEps | None = None
    validation_steps: Annotated[int, Field(ge=0)] = 10
    validation_every: Count = 1
    training: ClassVar[tuple[str, ...]] = ("accuracy",)
    stacks: ClassVar[bool] = True

    @property
    def radius(self) -> float:
        """The radius at which the validation images are attacked, that of the training."""
        return self.eps

    @property
    def step(self) -> float:
        """The step size that is used."""
        return default_step(self.eps, self.steps) if self.step_size is None else self.step_size

    @property
    def passes(self) -> int:
        """Forward and backward passes of one training step, for estimates of time."""
        return self.steps + 1

    def __call__(self, forward: Forward, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss (S,) and logits (S, B, K) of the attacked images."""
        return loss_under_attack(forward, batch, self.eps, self.step, self.steps)

    def measure(self, outputs: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Say which predictions on attacked images are right."""
        return {"accuracy": outputs.argmax(-1) == batch.labels}

    def describe(self) -> str:
        """Say it in a few words."""
        return f"Madry training with PGD of {self.steps} steps at eps {self.eps * 255:.3g}/255"


def loss_under_attack(
    forward: Forward, batch: Batch, eps: float, step_size: float, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attack a batch from a uniform start and return the mean cross-entropy (S,) and logits (S, B, K) of what comes out."""
    from gradlab.training.objective import batch_loss

    images = images_of(batch)
    start = uniform_start(batch, images, eps)
    attacked = ascend(
        forward, images, start, summed_loss(batch.labels), eps=eps, step_size=step_size, steps=steps
    )
    logits = forward(attacked)
    return batch_loss(logits, batch.labels), logits
