"""Fast adversarial training: one large step from a random start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._judged import Judged
from gradlab.attacks.madry_training import loss_under_attack
from gradlab.types import STRICT, Count, PixelEps, PositiveFloat

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Forward


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FastTraining(Judged):
    """Train on one step of FGSM from a uniform start in the ball (Wong, Rice & Kolter, 2020, arXiv:2001.03994, algorithm 3).

    It costs two passes a step instead of Madry's eight, and may fail from one epoch to the next: the network learns to
    withstand that one step alone, and PGD finds no robustness any more (catastrophic overfitting). The robust accuracy on
    validation images shows it. At eps 0 it is ordinary training, bit for bit. Seeds can be stacked.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        reach: length of the step as a multiple of eps; the paper's is 1.25.
        validation_steps: of the PGD that judges validation images at eps after every epoch; 0 for none.
        validation_every: it judges every k-th of them; 1 is all.
    """

    kind: Literal["fast"] = "fast"
    eps: PixelEps = 8 / 255
    reach: PositiveFloat = 1.25
    validation_steps: Annotated[int, Field(ge=0)] = 10
    validation_every: Count = 1
    training: ClassVar[tuple[str, ...]] = ("accuracy",)
    stacks: ClassVar[bool] = True
    passes: ClassVar[int] = 2

    @property
    def radius(self) -> float:
        """The radius at which the validation images are attacked, that of the training."""
        return self.eps

    def __call__(self, forward: Forward, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss (S,) and logits (S, B, K) of the attacked images."""
        return loss_under_attack(forward, batch, self.eps, self.reach * self.eps, 1)

    def measure(self, outputs: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Say which predictions on attacked images are right."""
        return {"accuracy": outputs.argmax(-1) == batch.labels}

    def describe(self) -> str:
        """Say it in a few words."""
        return f"fast FGSM training at eps {self.eps * 255:.3g}/255"
