"""Training an auto-encoder on the training images of a data set, by the same loop as any other network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from gradlab.data import Dataset
from gradlab.detection.autoencoder import AutoEncoder
from gradlab.training.fit import Fit, Listener, fit
from gradlab.training.frozen import digest_of
from gradlab.training.objective import Batch, Better, Forward
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import UserError


@dataclass(frozen=True)
class ReconstructionLoss:
    """Objective: mean squared error over the numbers of an image, where variational plus beta · KL / that many numbers.

    Attributes:
        beta: weight of the divergence; None where there is none.
    """

    beta: float | None = None
    training = ()
    changes_inputs = False

    @property
    def validation(self) -> Mapping[str, Better]:
        """The loss, and the squared error alone."""
        return {"loss": "less", "squared_error": "less"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (S,) and what the network returned."""
        outputs = forward(batch.inputs)
        return self._losses(outputs, batch)[0].mean(1), outputs

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - of the protocol
        """Measure nothing but the loss."""
        return {}

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return loss and squared error of every image."""
        loss, error = self._losses(forward(batch.inputs), batch)
        return {"loss": loss, "squared_error": error}

    def _losses(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        images = batch.inputs
        assert isinstance(images, Tensor)  # images, not tokens
        flat = images.flatten(2)
        error = (outputs[..., : flat.shape[2]] - flat).square().mean(2)
        if self.beta is None:
            return error, error
        return error + self.beta * outputs[..., -1] / flat.shape[2], error


def train_autoencoder(
    config: AutoEncoder,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    trunk: nn.Module | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: Precision | None = None,
    checkpoint: str | Path | None = None,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> Fit:
    """Train an auto-encoder; `fit.model.reconstruct(images)` gives the reconstructions.

    Args:
        config: the auto-encoder. data: with training and validation images; labels are not looked at.
        recipe: how to train, by default Adam 1e-3 for 20 epochs, the epoch of the best validation loss kept.
        trunk: a classifier whose frozen trunk is the encoder; a copy is used, and after training both are compared bit by
            bit with what the classifier was before.
        seed: of initial weights, order, noise and codes. The rest is as in `gradlab.training.fit`.

    Raises:
        UserError: no training or validation images, a trunk that does not fit, one that moved, and whatever `fit` refuses.
    """
    if not isinstance(data, Dataset):
        raise UserError(
            f"train_autoencoder reads a gradlab Dataset, got {type(data).__name__}; use gradlab.data.load(...) or "
            "gradlab.data.from_tensors(images, labels)."
        )
    train, validation = data.trainable()
    before = digests(trunk)
    network = config.build(data.input_shape, seed=seed, trunk=trunk)
    found = fit(
        network,
        train,
        recipe or Recipe(),
        validation=validation,
        seed=seed,
        device=device,
        precision=precision,
        objective=ReconstructionLoss(config.beta),
        checkpoint=checkpoint,
        listeners=listeners,
        progress=progress,
    )
    inside = digests(getattr(found.model.encoder, "network", None))
    moved = [name for name, digest in before.items() if name in inside and inside[name] != digest]
    if digests(trunk) != before or moved:
        raise UserError(
            f"the classifier under the auto-encoder changed in training ({(moved or ['its own numbers'])[0]}); something in "
            "its forward() writes to it: take that out."
        )
    return found


def digests(module: nn.Module | None) -> dict[str, str]:
    """Return a digest by name of every parameter and buffer; of no module, none."""
    return {} if module is None else {name: digest_of(one) for name, one in module.state_dict().items()}
