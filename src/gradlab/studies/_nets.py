"""Networks that several studies train, attack, score and explain; defined once, so that nobody trains them twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gradlab.lab.designing.procedure import Procedure
from gradlab.models.cnn import CNN
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.named import NETS
from gradlab.procedures.train import Train
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.recipes import RECIPES
from gradlab.training.schedule import OneCycle

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


Length = Literal["long", "short"]
"""Of the training of a shared network: two lengths make two accuracies."""
SHARED = FastCNN(widths=(32, 64, 128))
"""About a megabyte of weights."""
EPOCHS: dict[Length, int] = {"long": RECIPES["fast"].recipe.epochs, "short": 2}
SNAPSHOTS = (1, 2, 4)
"""Epochs of the long training whose weights are kept."""


def shared_net(setup: Setup, data: str, length: Length = "long", *, epochs: int | None = None) -> Train:
    """Return the training of a network that studies attack, judge and explain.

    On large colour images it is the recipe `fast` on all of them; else that of `small_cnn`.

    Args:
        epochs: of the long training, instead of its own.
    """
    snapshots = SNAPSHOTS if length == "long" else ()
    if setup.preset == "quick" or setup.is_small or setup.image_size < 32 or setup.channels != 3:
        small = small_cnn(setup, data)
        assert isinstance(small, Train)  # so it is defined
        train, own = small, small.recipe.epochs if length == "long" else 1
    else:
        train, own = Train(data=data, model=SHARED, recipe=RECIPES["fast"].recipe), EPOCHS[length]
    asked = epochs if epochs is not None and length == "long" else own
    kept = tuple(epoch for epoch in snapshots if epoch < asked)
    return replace(train, recipe=replace(train.recipe, epochs=asked, snapshots=kept, keep="last"))


def at_full_size(train: Train) -> Train:
    """Return a training without smaller images in its first epochs, so that every epoch sees the size that is judged."""
    return replace(train, recipe=replace(train.recipe, sizes=()))


RESNET_8 = CNN(residual=True)
"""Three stages of one residual block, 16, 32 and 64 channels wide, as He et al. (2016), section 4.2, with one block each."""
REDUCED = Recipe(
    learning_rate=3e-3, batch_size=64, epochs=6, schedule=OneCycle(), memory_format="channels-last"
)
"""For about ten thousand images of 16×16 pixels; the rate was chosen on validation images."""
PUBLISHED_NET, PUBLISHED = (
    NETS["constant-64-5"].config,
    Recipe(learning_rate=1e-3, batch_size=128, epochs=100),
)
"""Lab 004's: five residual blocks of width 64 at full resolution."""


def source_cnn(setup: Setup, data: str, *, epochs: int | None = None) -> Train:
    """Return the training of the network that is transferred, and that teaches; on the same data it is the same one."""
    if setup.is_small:
        model, recipe = CNN(widths=(16, 32)), replace(SMALL, epochs=8)
    elif setup.preset == "full":
        assert isinstance(PUBLISHED_NET, CNN)  # as it is listed
        model, recipe = PUBLISHED_NET, PUBLISHED
    else:
        model, recipe = RESNET_8, replace(REDUCED, epochs=3) if setup.preset == "quick" else REDUCED
    return Train(data=data, model=model, recipe=recipe if epochs is None else replace(recipe, epochs=epochs))


def half_of(teacher: Train) -> CNN:
    """Return a student with about half the teacher's parameters: the same layers, narrower by the root of two."""
    assert isinstance(teacher.model, CNN)  # so it is defined
    return replace(teacher.model, widths=tuple(round(width / 2**0.5) for width in teacher.model.widths))
