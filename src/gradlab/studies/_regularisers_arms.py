"""The regularisers that the study compares, and the arm of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gradlab.augmentation import AUGMENTATION_SETS, FeatureAugmentation, Mixup
from gradlab.lab.designing.design import Arm
from gradlab.models.mlp import MLP
from gradlab.procedures.train import Train
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience


@dataclass(frozen=True)
class Regulariser:
    """What one arm changes in the net and in the recipe."""

    label: str
    net: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)


REGULARISERS: dict[str, Regulariser] = {
    "none": Regulariser("none"),
    "dropout": Regulariser("dropout 0.5", {"dropout": 0.5}),
    "batch-norm": Regulariser("batch norm", {"norm": "batch"}),
    "dropout-norm": Regulariser("dropout 0.5 and batch norm", {"dropout": 0.5, "norm": "batch"}),
    "weight-decay": Regulariser("weight decay 0.1", {}, {"optimizer": "adamw", "weight_decay": 0.1}),
    "smoothing": Regulariser("label smoothing 0.1", {}, {"label_smoothing": 0.1}),
    "stopping": Regulariser("early stopping", {}, {"stopping": Patience(patience=5), "keep": "best"}),
    "light": Regulariser("light augmentation", {}, {"augmentation": AUGMENTATION_SETS["light"]}),
    "heavy": Regulariser("heavy augmentation", {}, {"augmentation": AUGMENTATION_SETS["heavy"]}),
    "mixup": Regulariser("mixup", {}, {"mixing": Mixup()}),
    "extrapolation": Regulariser(
        "feature extrapolation",
        {},
        {"feature_augmentation": FeatureAugmentation(neighbours=3, probability=0.5)},
    ),
    "interpolation": Regulariser(
        "feature interpolation",
        {},
        {"feature_augmentation": FeatureAugmentation(kind="interpolation", neighbours=3, probability=0.5)},
    ),
    "feature-noise": Regulariser(
        "feature noise", {}, {"feature_augmentation": FeatureAugmentation(kind="noise", probability=0.5)}
    ),
}
TINY, IN_PIXELS = 16, ("blur", "elastic")
"""Images with fewer pixels a side are not blurred or bent: both are given in pixels and would wipe them out."""
QUICK = ("none", "dropout-norm", "weight-decay", "stopping", "light", "extrapolation")


def arm_of(setup: Setup, name: str, count: int | None, images: int, recipe: Recipe) -> Arm:
    """Return the arm of a regulariser on `count` of the training images (None: all `images`)."""
    one = REGULARISERS[name]
    change = dict(one.recipe)
    augments = bool({"augmentation", "mixing", "feature_augmentation"} & set(change))
    if setup.image_size < TINY and "augmentation" in change:
        change["augmentation"] = tuple(step for step in change["augmentation"] if step.kind not in IN_PIXELS)
    size = "all" if count is None else "few"
    return Arm(
        name=f"{name}-{size}",
        label=f"{one.label}, {'all' if count is None else f'{count:,}'} images",
        factors={
            "regulariser": one.label,
            "images": images,
            "arms": "with augmentation" if augments else "without augmentation",
        },
        procedure=Train(
            data=setup.data,
            model=MLP(widths=(256, 128), **one.net),
            recipe=replace(recipe, **change),
            train_images=count,
        ),
    )
