"""Which regulariser helps an MLP most?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.studies._regularisers_arms import QUICK, REGULARISERS, arm_of
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
from gradlab.types import Count, PositiveFloat, UserError

BASE = Recipe(learning_rate=1e-3, batch_size=128, epochs=50, keep="last")
FEW_OF_SMALL = 50
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
        few: training images of the small training set; 1,000, or 50 of a small data set.
        few_epochs: epochs on the small training set; the preset's own by default.
        epochs: on all training images; the preset's own by default.
        learning_rate: of Adam (AdamW for weight decay).
        batch_size: images in one step.
    """
    small, quick = setup.is_small, setup.preset == "quick"
    few = few or (FEW_OF_SMALL if small else 1000)
    if few >= setup.train_images:
        raise UserError(
            f"few must be below the {setup.train_images:,} training images there are, got {few:,}."
        )
    recipe = replace(
        BASE, learning_rate=learning_rate, batch_size=batch_size or (32 if small else BASE.batch_size)
    )
    standard = (60, 12) if setup.preset == "standard" else (100, 50)
    lengths = (200, 40) if small else (40, 4) if quick else standard
    lengths = (few_epochs or lengths[0], epochs or lengths[1])
    names = QUICK if quick else tuple(REGULARISERS)
    arms = tuple(
        arm_of(setup, name, count, images, replace(recipe, epochs=length))
        for count, images, length in zip((few, None), (few, setup.train_images), lengths, strict=True)
        for name in names
    )
    told = f"Adam {recipe.learning_rate:g}, batch {recipe.batch_size}, last weights kept"
    return Design(
        study="regularisers",
        title="Regularisers of an MLP",
        question="Which regulariser helps an MLP most?",
        background=BACKGROUND,
        setting="002",
        setting_text=f"256-128, ReLU; {told}; {lengths[0]} epochs on {few:,} images and {lengths[1]} on all.",
        corrections=(PROTOCOL[0], "one net in all arms (published: three)", "test images apart from validation images"),
        deviations=(*other_data(setup), f"{told}, {lengths[0]} and {lengths[1]} epochs instead of {PUBLISHED}"),
        parameters={
            "few": few,
            "few_epochs": lengths[0],
            "epochs": lengths[1],
            "learning_rate": learning_rate,
            "batch_size": recipe.batch_size,
        },
        arms=arms,
        claims=claims_of({name: REGULARISERS[name].label for name in names}, few, small=small),
        tables=(replace(accuracy_table(), measures=(ACCURACY, "epochs trained")), scores_table()),
        figures=_figures((few, setup.train_images), next(arm for arm in arms if arm.name == "light-all")),
    )  # fmt: skip


def _losses(images: int) -> Figure:
    curve = learning_curves(by="regulariser", panel="arms", y="validation_loss", where={"images": images})
    return replace(
        curve,
        name=f"{curve.name}-{images}",
        title=f"{curve.title}, {images:,} images",
        caption=f"{curve.caption} Where it rises again, the net fits what is particular to its training images.",
    )


def _figures(sizes: tuple[int, int], light: Arm) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-images",
            title="Test accuracy with few and with all training images",
            caption="Each dot is one seed; the line is the mean with its 95 % interval.",
            x="images",
            y="test accuracy",
            by="regulariser",
            panel="arms",
            x_scale="category",
        ),
        *(_losses(images) for images in sizes),
        *mistakes_of(light),
    )
