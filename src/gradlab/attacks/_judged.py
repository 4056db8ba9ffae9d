"""How every adversarial training is judged after each epoch: by PGD on the validation images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from gradlab._torch import torch
from gradlab.attacks._ascent import ascend, images_of, summed_loss, uniform_start
from gradlab.attacks._climb import default_step

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Better, Forward


class Judged:
    """Interface with the part of an objective that all adversarial trainings share; each adds its loss."""

    changes_inputs: ClassVar[bool] = True
    sampled: ClassVar[tuple[str, ...]] = ("robust_accuracy",)
    validation_steps: int
    validation_every: int

    @property
    def radius(self) -> float:
        """Return the radius at which the validation images are attacked."""
        raise NotImplementedError

    @property
    def validation(self) -> Mapping[str, Better]:
        """Loss, accuracy, and robust accuracy where it is asked for."""
        plain: dict[str, Better] = {"loss": "less", "accuracy": "more"}
        return plain | {"robust_accuracy": "more"} if self.validation_steps else plain

    def validate(self, forward: Forward, batch: Batch) -> dict[str, torch.Tensor]:
        """Measure the images as they are, and under PGD from a random start, which is the same in every epoch.

        An image counts as robust if it is classified correctly as it is and at every iterate.

        Returns: loss, accuracy and, where it is asked for, robust_accuracy, (S, B) each, NaN where no attack was tried.
        """
        from gradlab.training.objective import CrossEntropy

        found = CrossEntropy().validate(forward, batch)
        if not self.validation_steps:
            return found
        assert batch.indices is not None  # of every batch
        rows = (batch.indices[0] % self.validation_every == 0).nonzero()[:, 0]
        robust = torch.full(batch.labels.shape, torch.nan, device=batch.labels.device, dtype=torch.float64)
        robust[:, rows] = self._robust(forward, batch, rows, found["accuracy"][:, rows]).to(robust.dtype)
        return found | {"robust_accuracy": robust}

    def _robust(
        self, forward: Forward, batch: Batch, rows: torch.Tensor, right: torch.Tensor
    ) -> torch.Tensor:
        """Say which of these images (n,), right (S, n) as they are, are right at every iterate, (S, n) bool."""
        images, labels, right = images_of(batch)[:, rows], batch.labels[:, rows], right.clone()
        if not len(rows):
            return right

        def see(logits: torch.Tensor) -> None:
            right.logical_and_(logits.argmax(-1) == labels)

        last = ascend(
            forward,
            images,
            uniform_start(batch, images, self.radius, "validation attack"),
            summed_loss(labels),
            eps=self.radius,
            step_size=default_step(self.radius, self.validation_steps),
            steps=self.validation_steps,
            see=see,
        )
        see(forward.still(last))
        return right


def both_right(outputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Say which of the predictions (S, 2·B, K), first on clean and then on attacked images, are labels (S, B)."""
    clean, attacked = outputs.argmax(-1).chunk(2, dim=1)
    return {"accuracy": clean == labels, "robust_accuracy": attacked == labels}
