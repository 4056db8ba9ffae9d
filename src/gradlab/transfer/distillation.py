"""The loss of distillation: a student learns the labels and what a teacher says of the same images."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from gradlab.training.frozen import digest_of
from gradlab.training.objective import Batch, Better, Forward, sample_losses
from gradlab.types import UserError


def distillation_loss(
    student: Tensor, teacher: Tensor, labels: Tensor, *, temperature: float, alpha: float
) -> Tensor:
    """α · cross-entropy + (1 − α) · T² · KL(teacher at T ‖ student at T) (Hinton, Vinyals & Dean, 2015, arXiv:1503.02531).

    At temperature T logits are divided by T before the softmax. The gradient of the soft term shrinks as 1/T², which the
    factor T² takes back, so that α means the same at every temperature. The divergence is the cross-entropy with the
    teacher's probabilities less their entropy, which no weight of the student changes.

    Args:
        student: logits (S, B, K). teacher: likewise; no gradient flows into it.
        labels: (S, B) int64 in [0, K).
        temperature: T > 0. alpha: weight of the labels, in [0, 1]; 1 is plain cross-entropy, 0 the teacher alone.

    Returns: (S, B), in nats.
    """
    if alpha == 1:
        return sample_losses(student, labels)
    soft = functional.kl_div(
        functional.log_softmax(student / temperature, -1),
        functional.log_softmax(teacher.detach() / temperature, -1),
        reduction="none",
        log_target=True,
    ).sum(-1)
    softened = (1 - alpha) * temperature**2 * soft
    return softened if alpha == 0 else alpha * sample_losses(student, labels) + softened


@dataclass(frozen=True, eq=False)
class Distillation:
    """Objective of a training with a `ViewFeed`: the labels and a teacher's logits, which were computed once.

    Validation is by the labels alone, so that students of different temperatures are chosen by the same number.

    Attributes:
        teacher: logits (V·N, K) of all samples of the feed, on the device of the training.
        temperature, alpha: as in `distillation_loss`.
    """

    teacher: Tensor = field(repr=False)
    temperature: float = 4.0
    alpha: float = 0.5
    digest: str = field(init=False)
    training = ("accuracy", "agreement")
    changes_inputs = False

    def __post_init__(self) -> None:
        check_softness(self.temperature, self.alpha)
        told = f"{digest_of(self.teacher)} {tuple(self.teacher.shape)}"
        object.__setattr__(self, "digest", hashlib.sha256(told.encode()).hexdigest()[:20])

    @property
    def validation(self) -> Mapping[str, Better]:
        """Cross-entropy with the labels, and accuracy."""
        return {"loss": "less", "accuracy": "more"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (S,) and logits (S, B, K)."""
        logits = forward(batch.inputs)
        taught = self._taught(batch, logits)
        losses = distillation_loss(
            logits, taught, batch.labels, temperature=self.temperature, alpha=self.alpha
        )
        return losses.mean(1), logits

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Say which predictions are right, and which are the teacher's."""
        predicted = outputs.argmax(-1)
        return {
            "accuracy": predicted == batch.labels,
            "agreement": predicted == self._taught(batch, outputs).argmax(-1),
        }

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy of every sample with its label, and whether its prediction is right."""
        logits = forward(batch.inputs)
        return {
            "loss": sample_losses(logits, batch.labels),
            "accuracy": logits.argmax(-1) == batch.labels,
        }

    def _taught(self, batch: Batch, logits: Tensor) -> Tensor:
        assert batch.indices is not None  # of every training batch
        return self.teacher[batch.indices].to(logits.dtype)


def check_softness(temperature: float, alpha: float) -> None:
    """Refuse a temperature or a weight that is none.

    Raises:
        UserError: what it must be.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise UserError(f"temperature must be a positive number, got {temperature}; 1 is the plain softmax.")
    if not 0 <= alpha <= 1:
        raise UserError(
            f"alpha is the weight of the labels and lies in [0, 1], got {alpha}; 0 is the teacher alone."
        )
