"""What a training minimises: a protocol, and cross-entropy with label smoothing and mixing as the first of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.training.augment import Mixture
from gradlab.training.feed import Inputs
from gradlab.types import UserError, derive_seed

NARROW = 16
"""Rows of fewer logits do not fill a vector of the processor; along another axis PyTorch's softmax is several times
faster. There the last bit of a loss may depend on the place in the batch."""
Better = Literal["less", "more"]
"""Whether a smaller or a larger value of a metric is better."""


@dataclass(frozen=True)
class Batch:
    """A batch of S networks.

    Attributes:
        inputs: (S, B, ...): prepared, or images in [0, 1] for an objective that changes them.
        labels: (S, B) int64.
        seeds: of the networks.
        step: how many steps were taken before this one; in evaluation the number of the batch.
        mixture: what was mixed into the images, if anything.
        indices: (S, B) of the samples in their feed; in evaluation the same for every network.
        whole: samples of the whole batch, where several processes train on a part of it each; None where it is all here.
    """

    inputs: Inputs
    labels: Tensor
    seeds: tuple[int, ...]
    step: int
    mixture: Mixture | None = None
    indices: Tensor | None = None
    whole: int | None = None

    def generators(self, name: str) -> list[torch.Generator]:
        """Return one stream a seed for this step, on the CPU, the same again after a resume; name it by its use."""
        return [torch.Generator().manual_seed(derive_seed(seed, name, self.step)) for seed in self.seeds]


class Forward(Protocol):
    """The networks in training, as an objective calls them."""

    def __call__(self, inputs: Inputs) -> Tensor:
        """Map inputs (S, B, ...) to logits (S, B, K) as in training: dropout, statistics of the batch, mixed precision."""

    def unmoved(self, inputs: Inputs) -> Tensor:
        """Map inputs to logits as in training, but move no statistics: for a second pass of the same step."""

    def still(self, inputs: Inputs) -> Tensor:
        """Map inputs to logits as in evaluation, which moves no statistics and draws nothing; for the search of an attack."""


@runtime_checkable
class Objective(Protocol):
    """What one training step minimises and what an epoch is judged by.

    `fit` writes each metric to the history as `train_...` or `validation_...`, a mean over the samples; `keep` and
    `stopping` go by the validation metric that the recipe selects. A metric that an attribute `sampled` names is NaN for
    the samples at which it was not asked, and the mean is over the others.
    """

    @property
    def training(self) -> tuple[str, ...]:
        """Names of what `measure` returns; the loss, which every objective has, is not among them."""

    @property
    def validation(self) -> Mapping[str, Better]:
        """Names of what `validate` returns, "loss" among them, and what is better."""

    @property
    def changes_inputs(self) -> bool:
        """Whether batches hold images in [0, 1] instead of prepared features, as an attack needs them."""

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of each network, (S,), with its graph, and outputs (S, B, K)."""

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Measure a training batch by its outputs: (S, B) each."""

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Measure a validation batch, in eval mode and without gradients: (S, B) each."""


@dataclass(frozen=True)
class CrossEntropy:
    """Mean cross-entropy.

    Attributes:
        smoothing: of the labels of training batches, in [0, 1).
    """

    smoothing: float = 0.0
    training = ("accuracy",)
    changes_inputs = False

    @property
    def validation(self) -> Mapping[str, Better]:
        """Loss, without smoothing, and accuracy."""
        return {"loss": "less", "accuracy": "more"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (S,), of mixed images the weighted sum over both labels, and logits (S, B, K)."""
        logits = forward(batch.inputs)
        return training_loss(logits, batch.labels, batch.mixture, self.smoothing), logits

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Say which predictions are right."""
        return {"accuracy": outputs.argmax(-1) == batch.labels}

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of every sample and whether its prediction is right."""
        logits = forward(batch.inputs)
        return {
            "loss": sample_losses(logits, batch.labels),
            "accuracy": logits.argmax(-1) == batch.labels,
        }


def check_selected(objective: Objective, selected: str) -> None:
    """Refuse to select by a metric that the objective does not measure in validation."""
    if selected not in objective.validation:
        raise UserError(
            f"the recipe selects by '{selected}', but validation measures {', '.join(objective.validation)}; choose one of them."
        )


def training_loss(logits: Tensor, labels: Tensor, mixture: Mixture | None, smoothing: float) -> Tensor:
    """Loss of each network (S,): of mixed images the weighted sum over both labels."""
    if mixture is None:
        return batch_loss(logits, labels, smoothing)
    own, other = (sample_losses(logits, one, smoothing) for one in (labels, mixture.labels))
    return (mixture.weight * own + (1 - mixture.weight) * other).mean(1)


def batch_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of each network: logits (S, B, K), labels (S, B) to (S,)."""
    return sample_losses(logits, labels, smoothing).mean(1)


def sample_losses(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of every image: logits (S, B, K), labels (S, B) to (S, B)."""
    if logits.shape[-1] < NARROW:
        classes_second = logits.transpose(1, 2).contiguous()
        return functional.cross_entropy(classes_second, labels, reduction="none", label_smoothing=smoothing)
    losses = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=smoothing
    )
    return losses.view(labels.shape)
