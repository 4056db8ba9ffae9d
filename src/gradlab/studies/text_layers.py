"""Do more layers help a small transformer that learns from a few thousand sentences alone?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.language.transformer import TextTransformer
from gradlab.procedures.text_train import TextTrain
from gradlab.studies._shared import (
    ACCURACY,
    PROTOCOL,
    accuracy_table,
    learning_curves,
    scores_table,
)
from gradlab.studies._text_claims import claims_of
from gradlab.studies.setup import Setup, TextSetup
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import OneCycle
from gradlab.types import Count, PositiveFloat, UserError

BACKGROUND = (
    "Transformers that read reviews well were trained on billions of words before. Here nothing is downloaded: the vocabulary "
    "and every weight are learned from the training sentences alone, so the question is how far that goes, and whether depth "
    "helps when sentences are few. All networks share tokenizer, width and recipe; they differ in the number of layers. The "
    "weights with the best validation loss are kept."
)
RECIPE = Recipe(learning_rate=2e-3, batch_size=64, epochs=3, schedule=OneCycle())
"""Chosen on the validation sentences of Rotten Tomatoes."""
QUICK = 5000
"""Training sentences of the preset quick at most, which keep its twelve trainings within a minute."""


def text_layers(
    setup: TextSetup,
    *,
    layers: tuple[Count, ...] | None = None,
    dim: Count = 64,
    epochs: Count | None = None,
    learning_rate: PositiveFloat = 2e-3,
) -> Design:
    """Do more layers help a small transformer that learns from a few thousand sentences alone?

    Args:
        setup: preset and data, which hold texts, such as rotten-tomatoes.
        layers: numbers of layers to compare, at least two; 1 2 4, and 1 2 in the preset quick.
        dim: numbers that stand for a token; the feed-forward layers have four times as many.
        epochs: at most; the preset's own by default.
        learning_rate: highest of Adam's.
    """
    chosen = tuple(sorted(set(layers or ((1, 2) if setup.preset == "quick" else (1, 2, 4)))))
    if len(chosen) < 2:
        raise UserError(f"text-layers compares at least two numbers of layers, got {chosen}; add one.")
    length = epochs or (1 if setup.preset == "quick" else RECIPE.epochs)
    recipe = replace(RECIPE, epochs=length, learning_rate=learning_rate)
    if setup.preset == "quick":
        setup, recipe = replace(setup, data=_some(setup)), replace(recipe, batch_size=32)
    arms = tuple(_arm(setup, number, dim, recipe) for number in chosen)
    return Design(
        study="text-layers",
        title="Layers of a text transformer from scratch",
        question="Do more layers help a small transformer that learns from a few thousand sentences alone?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"DistilBERT layers of width {dim}, WordPiece of 8,000 tokens learned here; {recipe.describe()}.",
        corrections=PROTOCOL,
        deviations=(),
        parameters={"layers": list(chosen), "dim": dim, "epochs": length, "learning_rate": learning_rate},
        arms=arms,
        claims=claims_of(chosen, setup.class_count),
        tables=(accuracy_table(title="Accuracy of every network"), scores_table()),
        figures=_figures(),
    )


def _some(setup: Setup) -> str:
    """Return data of not too many sentences, as many of each class; small data and a choice that was made stay as they are."""
    if setup.train_images <= QUICK or "#" in setup.data:
        return setup.data
    return f"{setup.data}#{QUICK // setup.class_count}"


def _arm(setup: Setup, layers: int, dim: int, recipe: Recipe) -> Arm:
    told = "1 layer" if layers == 1 else f"{layers} layers"
    model = TextTransformer(dim=dim, hidden_dim=4 * dim, layers=layers)
    return Arm(
        name=f"layers-{layers}",
        label=told,
        factors={"layers": layers, "net": told, "data": setup.data},
        procedure=TextTrain(data=setup.data, model=model, recipe=recipe),
    )


def _figures() -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-layers",
            title="Test accuracy against layers",
            caption="Each dot is one seed; the line is the mean with its 95 % interval.",
            x="layers",
            y=ACCURACY,
            by="data",
            x_scale="category",
        ),
        learning_curves(by="net", panel="data"),
        learning_curves(by="net", panel="data", y="validation_loss"),
    )
