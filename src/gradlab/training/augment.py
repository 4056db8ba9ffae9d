"""Augmentation inside the training loop: images, labels and features of training batches, and of nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.augmentation import Flip
from gradlab.augmentation.augment import apply_all, draw_all
from gradlab.models.stacked_layers import StackedLinear
from gradlab.training.recipe import Recipe
from gradlab.types import UserError, derive_seed


@dataclass(frozen=True)
class Mixture:
    """What was mixed into a batch: the labels (S, B) of the other images and the weight (S, B) of the own label."""

    labels: Tensor
    weight: Tensor


class Augmenter:
    """Changes training batches as the recipe says; every seed draws from its own streams, afresh in every epoch."""

    def __init__(self, recipe: Recipe) -> None:
        self.chain, self.mixing, self.features = (
            recipe.augmentation,
            recipe.mixing,
            recipe.feature_augmentation,
        )
        self._streams: dict[str, list[torch.Generator]] = {}
        self._alternating = [
            number for number, one in enumerate(self.chain) if isinstance(one, Flip) and one.alternate
        ]
        self._mirrored = torch.zeros(0, 0, dtype=torch.bool)

    @property
    def changes_images(self) -> bool:
        """Whether images are changed before the network sees them."""
        return bool(self.chain) or self.mixing is not None

    @property
    def changes_features(self) -> bool:
        """Whether the features before the last linear layer are changed."""
        return self.features is not None

    def start(self, seeds: Sequence[int], epoch: int, samples: int = 0) -> None:
        """Start the streams of an epoch on data of so many samples, which an alternating flip must know."""
        self._streams = {
            name: [torch.Generator().manual_seed(derive_seed(seed, name, epoch)) for seed in seeds]
            for name in ("augmentation", "mixing", "feature augmentation")
        }
        if self._alternating:
            streams = [torch.Generator().manual_seed(derive_seed(seed, "alternating flip")) for seed in seeds]
            first = torch.stack([Flip().draw(samples, (1, 1, 1), stream)[:, 0] != 0 for stream in streams])
            self._mirrored = first if epoch % 2 else ~first

    def change(
        self, images: Tensor, labels: Tensor, indices: Tensor, part: slice | None = None
    ) -> tuple[Tensor, Mixture | None]:
        """Augment, then mix, images (S, B, C, H, W) with labels (S, B), which are the samples at indices (S, B).

        The images come from whole numbers, so that their range needs no look, which would wait for the device.

        Args:
            part: the images are these of the batch that the labels belong to; without it they are all. Mixing needs all.
        """
        count, size = labels.shape[1], (images.shape[-3], images.shape[-2], images.shape[-1])
        if self.chain:
            drawn = draw_all(self.chain, count, size, self._streams["augmentation"])
            for number in self._alternating:
                drawn[number][:, 0] = self._mirrored.gather(1, indices.cpu()).flatten()
            if part is not None:
                drawn = [one.view(*labels.shape, *one.shape[1:])[:, part].flatten(0, 1) for one in drawn]
            images = apply_all(images.flatten(0, 1), self.chain, drawn).view(images.shape)
        if self.mixing is None:
            return images, None
        rows = torch.stack([self.mixing.draw(count, size, stream) for stream in self._streams["mixing"]])
        images, others, weight = self.mixing.mix(images, labels, rows)
        return images, Mixture(others, weight)

    @contextlib.contextmanager
    def in_features(self, module: nn.Module, labels: Tensor) -> Iterator[None]:
        """Within the block the input of the module's last linear layer is augmented; labels are (S, B)."""
        handle = last_linear(module).register_forward_pre_hook(
            lambda _layer, inputs: self._change_features(inputs, labels)
        )
        try:
            yield
        finally:
            handle.remove()

    def _change_features(self, inputs: tuple[Any, ...], labels: Tensor) -> tuple[Any, ...]:
        assert self.features is not None  # the hook is there for nothing else
        features = inputs[0]
        stacked = features if features.dim() == labels.dim() + 1 else features.unsqueeze(0)
        count, width = stacked.shape[-2:]
        drawn = [self.features.draw(count, width, stream) for stream in self._streams["feature augmentation"]]
        changed = self.features.apply(stacked, labels, torch.stack(drawn).to(features.device))
        return (changed.view(features.shape), *inputs[1:])


def build_augmenter(recipe: Recipe) -> Augmenter | None:
    """Return what changes the training batches; None where the recipe leaves them as they are."""
    augmenter = Augmenter(recipe)
    return augmenter if augmenter.changes_images or augmenter.changes_features else None


def last_linear(module: nn.Module) -> nn.Module:
    """Find the last linear layer in the order of registration.

    Raises:
        UserError: there is none.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear | StackedLinear)]
    if not layers:
        raise UserError(
            "feature augmentation changes the input of the last linear layer, and this model has none; drop it."
        )
    return layers[-1]
