"""Recipes that have a name, each with the network that it was made for; no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gradlab.augmentation import Crop, Flip
from gradlab.training.groups import Group
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import Linear
from gradlab.types import UserError, did_you_mean


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe with a name, of fixed length: it chooses no epoch and keeps the last weights.

    Attributes:
        summary: what it is for, in a few words. recipe: how to train.
        network: the name of the network that it was made for; others train by it as well, but nobody chose it for them.
    """

    summary: str
    recipe: Recipe
    network: str


def _fast(epochs: int, sizes: tuple[int, ...] = (), half: Literal["bf16"] | None = None) -> Recipe:
    """Muon on convolutions, AdamW on the rest, a rate that falls along a line; after Jordan (2024, arXiv:2404.00498)."""
    return Recipe(
        optimizer="muon", learning_rate=0.24, momentum=0.6, nesterov=True, weight_decay=0.1, batch_size=512,
        epochs=epochs, schedule=Linear(), label_smoothing=0.2, keep="last", memory_format="channels-last",
        sizes=sizes, augmentation=(Flip(), Crop(padding=2, border="mirror")),
        groups=(
            Group(shape="head", optimizer="adamw", rate=1 / 60, decay=0.0),
            Group(shape="vectors", rate=1 / 12, decay=0.0),
        ),
        precision=half, orthogonalise=half or "fp32",
    )  # fmt: skip


def _long(epochs: int, *, shift: int) -> Recipe:
    """As `_fast`, with momentum over about as many images as in its source, where batches hold 2,000."""
    return replace(
        _fast(epochs, (16, 24), "bf16"), momentum=0.85, weight_decay=0.05,
        augmentation=(Flip(alternate=True), Crop(padding=shift, border="mirror")),
    )  # fmt: skip


RECIPES: dict[str, NamedRecipe] = {
    "fast": NamedRecipe(
        "small colour images without a GPU, in minutes", _fast(5, (16, 24)), "fast-cnn-mirror"
    ),
    "fast-bf16": NamedRecipe(
        "fast in bf16, for processors with units for it", _fast(5, (16, 24), "bf16"), "fast-cnn-mirror"
    ),
    "fast-bf16-long": NamedRecipe(
        "fast-bf16 for twice as many epochs, with a wider network", _long(10, shift=2), "fast-cnn-wide-views"
    ),
    "fast-bf16-longest": NamedRecipe(
        "the most accurate: twelve epochs in bf16, with the widest network",
        _long(12, shift=4),
        "fast-cnn-widest-views",
    ),
}
"""Name -> recipe."""


def named_recipe(name: str) -> NamedRecipe:
    """Return the recipe of that name; `-` and `_` are alike.

    Raises:
        UserError: there is none; names the nearest, or all.
    """
    found = RECIPES.get(name.strip().lower().replace("_", "-"))
    if found is None:
        raise UserError(f"there is no recipe '{name}'; {did_you_mean(name.strip().lower(), list(RECIPES))}")
    return found
