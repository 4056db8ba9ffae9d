"""A training recipe: everything about training that is not data, model or seed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.augmentation import Augmentation, FeatureAugmentation, Mixing
from gradlab.training.groups import Group
from gradlab.training.schedule import Schedule
from gradlab.training.stopping import Stopping
from gradlab.types import STRICT, Count, NonNegativeFloat, PositiveFloat, Probability, UserError, later

Optimizer = Literal["sgd", "adam", "adamw", "muon"]
Precision = Literal["fp32", "bf16", "fp16", "fp64"]
MemoryFormat = Literal["contiguous", "channels-last"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe:
    """How a network is trained.

    Attributes:
        optimizer: sgd, adam or adamw (PyTorch's; betas 0.9 and 0.999), or muon: momentum made orthogonal for matrices (Jordan
            et al., 2024), and adamw at the same rate for parameters of one axis; groups give them rates of their own.
        learning_rate: peak rate of the optimiser.
        momentum: of sgd and muon, in [0, 1); 0 is without.
        nesterov: Nesterov's form of the momentum; left out: the plain form.
        weight_decay: coupled (L2) for sgd and adam, decoupled for adamw and muon; on every trained tensor.
        batch_size: images per step; the last, smaller batch of an epoch is used too.
        epochs: how many; with early stopping, at most so many.
        schedule: how the learning rate changes in training; left out: constant.
        label_smoothing: of the training loss alone, in [0, 1); 0 is without.
        clip_norm: largest L2 norm of the gradient of one network; left out: no clipping.
        ema: decay, in [0, 1), of an exponential moving average of the weights, which is then what is validated and kept;
            left out: no average.
        stopping: early stopping by what select names; left out: all epochs are trained.
        keep: which weights remain: those of the epoch that is best by what select names, or the last.
        augmentation: what changes the images of training batches, one after the other; left out: nothing.
        mixing: mixes images of training batches with their labels, after augmentation; left out: nothing.
        feature_augmentation: what changes the input of the last linear layer in training; left out: nothing.
        select: validation metric by which weights are kept and training stops: loss, accuracy, or another one that the
            objective measures.
        snapshots: epochs whose weights are kept beside those that remain; left out: none.
        memory_format: how images lie in memory; channels-last is faster for convolutions on many machines.
        precision: number format of training; left out: as the caller of fit says.
        groups: parameters with a rate or a weight decay of their own; each parameter belongs to the first group that takes
            it, the rest trains as the recipe says; left out: none.
        orthogonalise: number format in which muon makes its momentum orthogonal; bf16 is faster on a processor with units
            for it.
        sizes: height and width of the training images in the first epochs, one number an epoch, resampled, since
            smaller ones train faster; left out: their own in all epochs.
    """

    optimizer: Optimizer = "adam"
    learning_rate: PositiveFloat = 1e-3
    momentum: Probability = 0.0
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0
    batch_size: Count = 128
    epochs: Count = 20
    schedule: Annotated[Schedule, Field(discriminator="kind")] | None = None
    label_smoothing: Probability = 0.0
    clip_norm: PositiveFloat | None = None
    ema: Probability | None = None
    stopping: Annotated[Stopping, Field(discriminator="kind")] | None = None
    keep: Literal["best", "last"] = "best"
    augmentation: tuple[Annotated[Augmentation, Field(discriminator="kind")], ...] = later(())
    mixing: Annotated[Mixing, Field(discriminator="kind")] | None = later(None)
    feature_augmentation: FeatureAugmentation | None = later(None)
    select: Annotated[str, Field(min_length=1)] = later("loss")
    snapshots: tuple[Count, ...] = later(())
    memory_format: MemoryFormat = later("contiguous")
    precision: Precision | None = later(None)
    groups: tuple[Group, ...] = later(())
    sizes: tuple[Count, ...] = later(())
    orthogonalise: Literal["fp32", "bf16"] = later("fp32")

    def __post_init__(self) -> None:
        if (self.momentum or self.nesterov) and self.optimizer not in ("sgd", "muon"):
            raise UserError(
                f"momentum and nesterov belong to optimizer='sgd' and 'muon', got optimizer='{self.optimizer}'; drop them."
            )
        if self.optimizer != "muon" and any(group.optimizer != "muon" for group in self.groups):
            raise UserError(
                f"a group's optimizer divides matrices between muon and adamw, got optimizer='{self.optimizer}'; "
                "set optimizer='muon', or drop it from the group."
            )
        if self.optimizer != "muon" and self.orthogonalise != "fp32":
            raise UserError(
                f"orthogonalise belongs to optimizer='muon', got optimizer='{self.optimizer}'; drop it."
            )
        if self.nesterov and not self.momentum:
            raise UserError("nesterov needs momentum above 0; set momentum=0.9.")
        if self.snapshots and max(self.snapshots) > self.epochs:
            raise UserError(
                f"snapshots must be epochs from 1 to {self.epochs}, the last, got {max(self.snapshots)}; "
                "drop that one or train longer."
            )
        if len(self.sizes) > self.epochs:
            raise UserError(
                f"sizes name one size an epoch, got {len(self.sizes)} for {self.epochs} epochs; name fewer or train longer."
            )
        if self.mixing is not None and self.feature_augmentation is not None:
            raise UserError(
                "feature augmentation combines images of one class, and mixing blends the classes; drop one of the two."
            )

    def size_in(self, epoch: int) -> int | None:
        """Return the height and width of training images in an epoch, from 1; None where it is their own."""
        return self.sizes[epoch - 1] if 0 < epoch <= len(self.sizes) else None

    def describe(self) -> str:
        """Say the recipe in one line, such as "Adam 0.0001, batch 128, 21 epochs, best validation loss kept"."""
        names = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "muon": "Muon"}
        parts = [f"{names[self.optimizer]} {self.learning_rate:g}"]
        if self.momentum:
            parts.append(f"{'Nesterov ' if self.nesterov else ''}momentum {self.momentum:g}")
        if self.weight_decay:
            parts.append(f"weight decay {self.weight_decay:g}")
        if self.schedule is not None:
            parts.append(f"{self.schedule.kind} schedule")
        parts.append(f"batch {self.batch_size}")
        parts.append(f"at most {self.epochs} epochs" if self.stopping else f"{self.epochs} epochs")
        if self.stopping is not None:
            parts.append(f"stopped by {self.stopping.kind}")
        if self.label_smoothing:
            parts.append(f"label smoothing {self.label_smoothing:g}")
        if self.augmentation:
            parts.append(f"augmented by {', '.join(one.kind for one in self.augmentation)}")
        if self.mixing is not None:
            parts.append(self.mixing.kind)
        if self.feature_augmentation is not None:
            parts.append(f"feature {self.feature_augmentation.kind}")
        if self.clip_norm:
            parts.append(f"gradient clipped at {self.clip_norm:g}")
        if self.ema:
            parts.append(f"weight average {self.ema:g}")
        parts += self._describe_later()
        parts.append(f"best validation {self.select} kept" if self.keep == "best" else "last weights kept")
        return ", ".join(parts)

    def _describe_later(self) -> list[str]:
        """Say what most recipes leave as it is."""
        parts = [group.describe() for group in self.groups]
        if self.sizes:
            parts.append(f"first epochs on images of {', '.join(map(str, self.sizes))} pixels")
        if self.precision is not None:
            parts.append(self.precision)
        if self.orthogonalise != "fp32":
            parts.append(f"momentum made orthogonal in {self.orthogonalise}")
        if self.memory_format != "contiguous":
            parts.append(self.memory_format)
        if self.snapshots:
            epochs = "epoch" if len(self.snapshots) == 1 else "epochs"
            parts.append(f"weights of {epochs} {', '.join(map(str, self.snapshots))} kept as well")
        if self.select != "loss" and self.keep != "best" and self.stopping is not None:
            parts.append(f"selected by validation {self.select}")
        return parts
