"""Which regulariser helps an MLP most?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gradlab.augmentation import AUGMENTATION_SETS, FeatureAugmentation, Mixup
from gradlab.lab.design import Arm, Curve, Design, Line
from gradlab.models.mlp import MLP
from gradlab.studies._regularisers_claims import claims_of
from gradlab.studies._shared import (
    ACCURACY,
    PROTOCOL,
    accuracy_table,
    learning_curves,
    mistakes_of,
    other_data,
    scores_table,
)
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience
from gradlab.types import Count, PositiveFloat, UserError


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
BASE = Recipe(learning_rate=1e-3, batch_size=128, epochs=50, keep="last")
PUBLISHED = (
    "early stopping with a patience of its own for each net, batch 32 or 64, three different nets with batch norm after the "
    "activation"
)
BACKGROUND = (
    "A regulariser keeps a network from fitting what is particular to its training images. All arms train one MLP (256-128, "
    "ReLU) from the same initial weights for the same number of epochs and keep the last weights, so that each regulariser "
    "acts alone; early stopping, which keeps the best by validation images that no other arm uses, is one of them. Each is "
    "tried on a few training images, drawn afresh for every seed, and on all: what helps with little data may do nothing with "
    "much. Augmentation touches training batches alone; validation and test images stay as they are."
)


def regularisers(
    setup: Setup,
    *,
    few: Count | None = None,
    few_epochs: Count | None = None,
    epochs: Count | None = None,
    learning_rate: PositiveFloat = 1e-3,
    batch_size: Count | None = None,
) -> Design:
    """Which regulariser helps an MLP most?

    Args:
        setup: preset and data.
        few: training images of the small training set; 1,000, or 200 of a small data set.
        few_epochs: epochs on the small training set; the preset's own by default.
        epochs: on all training images; the preset's own by default.
        learning_rate: of Adam (AdamW for weight decay).
        batch_size: images in one step.
    """
    small, quick = setup.is_small, setup.preset == "quick"
    few = few or (200 if small else 1000)
    if few >= setup.train_images:
        raise UserError(
            f"few must be below the {setup.train_images:,} training images there are, got {few:,}."
        )
    recipe = replace(
        BASE, learning_rate=learning_rate, batch_size=batch_size or (32 if small else BASE.batch_size)
    )
    standard = (60, 12) if setup.preset == "standard" else (100, 50)
    lengths = (60, 40) if small else (40, 4) if quick else standard
    lengths = (few_epochs or lengths[0], epochs or lengths[1])
    names = QUICK if quick else tuple(REGULARISERS)
    arms = tuple(
        _arm(name, count, images, replace(recipe, epochs=length), setup.image_size)
        for count, images, length in zip((few, None), (few, setup.train_images), lengths, strict=True)
        for name in names
    )
    return Design(
        study="regularisers",
        title="Regularisers of an MLP",
        question="Which regulariser helps an MLP most?",
        background=BACKGROUND,
        setting="002",
        setting_text=f"256-128, ReLU; {recipe.describe()}; {lengths[0]} epochs on {few:,} images and {lengths[1]} on all.",
        corrections=(PROTOCOL[0], "one net in all arms (published: three)", "test images apart from validation images"),
        deviations=(*other_data(setup), f"{recipe.describe()} instead of {PUBLISHED}"),
        parameters={
            "few": few,
            "few_epochs": lengths[0],
            "epochs": lengths[1],
            "learning_rate": learning_rate,
            "batch_size": recipe.batch_size,
        },
        arms=arms,
        claims=claims_of({name: REGULARISERS[name].label for name in names}),
        tables=(replace(accuracy_table(), measures=(ACCURACY, "epochs trained")), scores_table()),
        figures=(
            Line(
                name="accuracy-by-images",
                title="Test accuracy with few and with all training images",
                caption="Each dot is one seed; the line is the mean with its 95 % interval.",
                x="images",
                y="test accuracy",
                by="regulariser",
                panel="arms",
                x_scale="category",
            ),
            *(_losses(images) for images in (few, setup.train_images)),
            *mistakes_of(next(arm for arm in arms if arm.name == "light-all")),
        ),
    )  # fmt: skip


def _losses(images: int) -> Curve:
    curve = learning_curves(by="regulariser", panel="arms", y="validation_loss", where={"images": images})
    return replace(
        curve,
        name=f"{curve.name}-{images}",
        title=f"{curve.title}, {images:,} images",
        caption=f"{curve.caption} Where it rises again, the net fits what is particular to its training images.",
    )


def _arm(name: str, count: int | None, images: int, recipe: Recipe, image_size: int) -> Arm:
    one = REGULARISERS[name]
    change = dict(one.recipe)
    augments = bool({"augmentation", "mixing", "feature_augmentation"} & set(change))
    if image_size < TINY and "augmentation" in change:
        change["augmentation"] = tuple(step for step in change["augmentation"] if step.kind not in IN_PIXELS)
    size = "all" if count is None else "few"
    return Arm(
        name=f"{name}-{size}",
        label=f"{one.label}, {'all' if count is None else f'{count:,}'} images",
        factors={
            "regulariser": one.label,
            "images": images,
            "arms": "with augmentation" if augments else "without",
        },
        model=MLP(widths=(256, 128), **one.net),
        recipe=replace(recipe, **change),
        train_images=count,
    )
