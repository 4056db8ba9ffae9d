"""The mixed loss: a share of images as they are and a share under any attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ascent import images_of
from gradlab.attacks._judged import Judged, both_right
from gradlab.attacks.every_step import every_step
from gradlab.attacks.fgsm import FGSM
from gradlab.attacks.registry import Attack
from gradlab.types import STRICT, Count, Fraction, UserError

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Forward


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MixedTraining(Judged):
    """α · loss of the images + (1 − α) · loss of the attacked images (Goodfellow et al., 2015, arXiv:1412.6572, section 6).

    The attack is called as it is anywhere else, on the network in eval mode, but for one thing: attacks by steps take all
    of them and give the worst iterate, whatever their `stop_at_success`. The statistics of batch norms are those of the
    images as they are: the pass over attacked images normalises with its batch and moves none. At eps 0 it is ordinary
    training within rounding, for networks without dropout. It trains one seed at a time, since an attack sees one network.

    Attributes:
        attack: any, with its own settings. clean: α, the weight of the images as they are, in [0, 1].
        validation_steps: of the PGD that judges validation images at the attack's eps after every epoch; 0 for none.
        validation_every: it judges every k-th of them; 1 is all.
    """

    kind: Literal["mixed"] = "mixed"
    attack: Annotated[Attack, Field(discriminator="kind")] = FGSM()
    clean: Fraction = 0.5
    validation_steps: Annotated[int, Field(ge=0)] = 10
    validation_every: Count = 1
    training: ClassVar[tuple[str, ...]] = ("accuracy", "robust_accuracy")
    stacks: ClassVar[bool] = False

    @property
    def radius(self) -> float:
        """The radius at which the validation images are attacked, that of the training."""
        return float(getattr(self.attack, "eps", 0.0))

    def __post_init__(self) -> None:
        object.__setattr__(self, "attack", every_step(self.attack))
        bounded = hasattr(self.attack, "eps") and getattr(self.attack, "norm", "linf") == "linf"
        if self.validation_steps and not bounded:
            raise UserError(
                f"after every epoch PGD judges the validation images within an L-infinity radius, and {self.attack.kind} has "
                "none here; set validation_steps=0."
            )

    @property
    def passes(self) -> int:
        """Forward and backward passes of one training step, for estimates of time."""
        return int(getattr(self.attack, "steps", 1)) + 2

    def __call__(self, forward: Forward, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss (1,) and the logits of clean and attacked images, (1, 2·B, K)."""
        from gradlab.training.objective import batch_loss

        attacked = self._attacked(forward, batch)
        clean = forward(batch.inputs)
        other = forward.unmoved(attacked)
        loss = self.clean * batch_loss(clean, batch.labels) + (1 - self.clean) * batch_loss(
            other, batch.labels
        )
        return loss, torch.cat([clean, other], dim=1)

    def _attacked(self, forward: Forward, batch: Batch) -> torch.Tensor:
        from gradlab.attacks._still import Still

        if len(batch.seeds) > 1:
            raise UserError(
                "an attack sees one network, so mixed training trains one seed at a time; call fit once for every seed, or "
                "take MadryTraining, FastTraining or TradesTraining, which stack."
            )
        images = images_of(batch)
        (generator,) = batch.generators("attack")
        return self.attack(Still(forward), images[0], batch.labels[0], generator=generator).unsqueeze(0)

    def measure(self, outputs: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Say which predictions are right, on images as they are and on attacked ones."""
        return both_right(outputs, batch.labels)

    def describe(self) -> str:
        """Say it in a few words."""
        eps = f" at eps {self.radius * 255:.3g}/255" if hasattr(self.attack, "eps") else ""
        return f"{self.clean:g} clean and {1 - self.clean:g} {self.attack.kind} loss{eps}"
