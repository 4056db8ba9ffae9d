"""TRADES: accuracy on images as they are, and the same prediction around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ascent import ascend, images_of
from gradlab.attacks._climb import default_step
from gradlab.attacks._judged import Judged, both_right
from gradlab.types import STRICT, Count, NonNegativeFloat, PixelEps

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Forward

SPREAD = 1e-3
"""Standard deviation of the start around the image, as in the authors' code: at the image itself the KL has no gradient."""


def kl_divergence(clean: torch.Tensor, attacked: torch.Tensor) -> torch.Tensor:
    """Return KL(softmax(clean) ‖ softmax(attacked)) of every image, in nats: logits (S, B, K) to (S, B)."""
    log_clean, log_attacked = (logits.log_softmax(-1) for logits in (clean, attacked))
    return (log_clean.exp() * (log_clean - log_attacked)).sum(-1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TradesTraining(Judged):
    """Cross-entropy of the images plus β · KL(p(x) ‖ p(x′)), x′ where the KL is largest (Zhang et al., 2019, arXiv:1901.08573).

    The attack runs in eval mode from a start 0.001·N(0, 1) around the image. The statistics of batch norms are those of the
    images as they are: the pass over attacked images normalises with its batch and moves none. At eps 0 the KL is 0, and it
    is ordinary training within rounding, for networks without dropout. Seeds can be stacked.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        steps: gradient steps of the attack. step_size: on the same scale; left out it is 2.5·eps/steps.
        beta: weight of the KL; the paper's is 6 for CIFAR-10.
        validation_steps: of the PGD that judges validation images at eps after every epoch; 0 for none.
        validation_every: it judges every k-th of them; 1 is all.
    """

    kind: Literal["trades"] = "trades"
    eps: PixelEps = 8 / 255
    steps: Count = 10
    step_size: PixelEps | None = None
    beta: NonNegativeFloat = 6.0
    validation_steps: Annotated[int, Field(ge=0)] = 10
    validation_every: Count = 1
    training: ClassVar[tuple[str, ...]] = ("accuracy", "robust_accuracy")
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
        return self.steps + 2

    def __call__(self, forward: Forward, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss (S,) and the logits of clean and attacked images, (S, 2·B, K)."""
        from gradlab.training.objective import batch_loss

        attacked = self._attacked(forward, batch)
        clean = forward(batch.inputs)
        around = forward.unmoved(attacked)
        loss = batch_loss(clean, batch.labels) + self.beta * kl_divergence(clean, around).mean(1)
        return loss, torch.cat([clean, around], dim=1)

    def _attacked(self, forward: Forward, batch: Batch) -> torch.Tensor:
        images = images_of(batch)
        with torch.no_grad():
            still = forward.still(images)
        drawn = [
            torch.randn(one.shape, generator=stream)
            for one, stream in zip(images, batch.generators("attack"), strict=True)
        ]
        start = images + SPREAD * torch.stack(drawn).to(images)
        return ascend(
            forward,
            images,
            start,
            lambda logits: kl_divergence(still, logits).sum(),
            eps=self.eps,
            step_size=self.step,
            steps=self.steps,
        )

    def measure(self, outputs: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Say which predictions are right, on images as they are and on attacked ones."""
        return both_right(outputs, batch.labels)

    def describe(self) -> str:
        """Say it in a few words."""
        return f"TRADES with beta {self.beta:g}, {self.steps} steps at eps {self.eps * 255:.3g}/255"
