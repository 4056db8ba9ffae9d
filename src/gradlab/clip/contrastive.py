"""Contrastive pre-training on labelled images: pairs of a picture and a caption, and a loss that knows equal captions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradlab.data import Split, gather, order
from gradlab.training.feed import ranges
from gradlab.training.objective import Batch, Better, Forward, sample_losses
from gradlab.types import derive_seed

if TYPE_CHECKING:
    from gradlab.data.registry import Role
    from gradlab.data.splits import Origin
    from gradlab.training.feed import Inputs


def contrastive_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of every pair of a batch whose captions may be equal: (..., B) of logits (..., B, B), labels (..., B).

    Image i and caption j belong together where their labels are equal. Each image's target is spread evenly over all its
    captions, each caption's over all its images, and the two cross-entropies are averaged: the bidirectional loss of UniCL
    (Yang et al., 2022, arXiv:2204.03610, eq. 2). With labels that all differ it is InfoNCE as in CLIP (Radford et al., 2021).

    Args:
        logits: scaled similarities, a row an image and a column a caption.
    """
    same = (labels.unsqueeze(-1) == labels.unsqueeze(-2)).to(logits.dtype)
    targets = same / same.sum(
        -1, keepdim=True
    )  # symmetric in the pair: as many captions as images of a label
    of_images = -(targets * logits.log_softmax(-1)).sum(-1)
    of_captions = -(targets * logits.transpose(-1, -2).log_softmax(-1)).sum(-1)
    return (of_images + of_captions) / 2


@dataclass(frozen=True)
class Contrastive:
    """The objective of contrastive pre-training; validation asks for the class among all captions, as zero-shot does."""

    training = ("accuracy",)
    changes_inputs = False
    pairs = True
    """Outputs compare the samples of a batch with each other: they are as many as the samples, not as the classes."""

    @property
    def validation(self) -> Mapping[str, Better]:
        """Cross-entropy and accuracy of naming the class, zero-shot."""
        return {"loss": "less", "accuracy": "more"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (S,) and the logits (S, B, B)."""
        logits = forward(batch.inputs)
        return contrastive_losses(logits, batch.labels).mean(1), logits

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Say which images are nearest to a caption of their class."""
        return {"accuracy": batch.labels.gather(1, outputs.argmax(-1)) == batch.labels}

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return loss and hit of every image, by logits (S, B, K) over the classes' captions."""
        logits = forward(batch.inputs)
        return {"loss": sample_losses(logits, batch.labels), "accuracy": logits.argmax(-1) == batch.labels}


@dataclass(frozen=True, eq=False)
class PairFeed:
    """A `gradlab.training.Feed` of labelled images with captions of their classes.

    In training an image comes with one of its class's captions, and with flips mirrored in every other visit; which ones
    depends on seed and epoch alone. In validation all images are asked about the first caption of every class.

    Attributes:
        split: the images. captions: ids (K, P, L) of P captions of each class; their last token is not padding.
        mask: (K, P, L), 0 for padding. flips: whether images may be mirrored, which digits must not.
    """

    split: Split
    captions: Tensor
    mask: Tensor
    flips: bool = True
    dtype: torch.dtype = torch.float32

    @property
    def role(self) -> Role:
        """Of the split."""
        return self.split.role

    @property
    def origin(self) -> Origin:
        """Of the split."""
        return self.split.origin

    @cached_property
    def labels(self) -> Tensor:
        """Labels of every image in every variant: the second N are those of the second variant."""
        return self.split.labels.repeat(self.variants) if self.role == "train" else self.split.labels

    @property
    def variants(self) -> int:
        """Ways in which an image can come: captions times mirrored or not."""
        return self.captions.shape[1] * (2 if self.flips else 1)

    def __len__(self) -> int:
        """Count the images of an epoch: each comes once, in one variant."""
        return len(self.split)

    def digest(self) -> str:
        """Return a SHA-256 over images, labels and captions."""
        found = hashlib.sha256(f"{self.flips}".encode())
        for tensor in (self.split.images, self.split.labels, self.captions, self.mask):
            found.update(tensor.cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    def order(self, seed: int, epoch: int, batch_size: int) -> Tensor:  # noqa: ARG002 - of the protocol
        """Return the order of an epoch, every image in a variant that is drawn for it."""
        count, device = len(self), self.split.labels.device
        stream = torch.Generator().manual_seed(derive_seed(seed, "variants", epoch))
        drawn = torch.randint(self.variants, (count,), generator=stream).to(device)
        return order(count, seed=seed, epoch=epoch, device=device) + drawn * count

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        """Return images and one caption of each, at `indices` of any shape."""
        images, variant = indices % len(self), indices // len(self)
        found = gather(self.split, images, dtype=self.dtype)
        if self.flips:
            mirrored = (variant % 2 == 1).view(*indices.shape, 1, 1, 1)
            found = torch.where(mirrored, found.flip(-1), found)
        own = self.split.labels[images], variant // 2 if self.flips else variant
        return {"images": found, "input_ids": self.captions[own], "attention_mask": self.mask[own]}

    def parts(self) -> Iterator[tuple[Tensor, Inputs]]:
        """Yield all images once, with the first caption of every class."""
        for start, stop in ranges(len(self), self.split.images[:1].numel()):
            indices = torch.arange(start, stop, device=self.split.labels.device)
            images = gather(self.split, indices, dtype=self.dtype)
            yield (
                indices,
                {"images": images, "input_ids": self.captions[:, 0], "attention_mask": self.mask[:, 0]},
            )

    def to(self, device: torch.device, dtype: torch.dtype) -> PairFeed:
        """Return this feed on `device`, images in `dtype`."""
        captions, mask = self.captions.to(device), self.mask.to(device)
        return replace(self, split=self.split.to(device), captions=captions, mask=mask, dtype=dtype)
