"""Networks that several studies train, attack, score and explain; defined once, so that nobody trains them twice."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.procedure import Procedure
from gradlab.models.cnn import CNN
from gradlab.procedures.train import Train
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe

SMALL = Recipe(learning_rate=3e-3, batch_size=32, epochs=12, memory_format="channels-last")
"""For data with fewer than 10,000 training images."""
LARGE = Recipe(learning_rate=3e-3, batch_size=128, epochs=3, memory_format="channels-last")
BRIEF, BRIEF_IMAGES = replace(LARGE, batch_size=64), 4_000
"""Of the preset quick: as many images and epochs as two cores learn in a minute."""


def small_cnn(setup: Setup, data: str, *, epochs: int | None = None) -> Procedure:
    """Return the training of a small CNN on `data`: a stem and two stages, batch norm, an average over all places."""
    is_brief = setup.preset == "quick" and not setup.is_small
    recipe = SMALL if setup.is_small else BRIEF if is_brief else LARGE
    return Train(
        data=data,
        model=CNN(widths=(16, 32)),
        recipe=recipe if epochs is None else replace(recipe, epochs=epochs),
        train_images=BRIEF_IMAGES if is_brief else None,
    )
