"""The encoder that studies of texts share: pre-trained here once, or published, or a person's own."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Table
from gradlab.language.encoder_files import DEFAULT
from gradlab.language.transformer import TextTransformer
from gradlab.procedures.text_encoder import encoder_source
from gradlab.procedures.text_overlap import TEXT_OVERLAP, TextOverlap
from gradlab.procedures.text_pretrain import TextPretrain
from gradlab.studies.setup import TEXTS, Setup
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import OneCycle
from gradlab.types import UserError

SMALL = TextTransformer(dim=128, layers=2, heads=4, hidden_dim=512, dropout=0.1, max_length=64)
TINY = TextTransformer(dim=32, layers=1, heads=2, hidden_dim=64, dropout=0.1, max_length=64)
RECIPE = Recipe(
    optimizer="adamw",
    weight_decay=0.01,
    learning_rate=2e-3,
    batch_size=64,
    epochs=30,
    schedule=OneCycle(warm=0.1),
)


def shared_encoder(setup: Setup, model: Procedure | None = None, *, epochs: int = 1) -> Procedure:
    """Return the encoder of a study: the one given, DistilBERT in the preset full, else a small one pre-trained here.

    In the preset quick a tiny one reads the study's own training sentences, for so many epochs.

    Raises:
        UserError: DistilBERT is not here and cannot be had.
    """
    if model is not None:
        return model
    if setup.preset == "full":
        return encoder_source(DEFAULT)
    if setup.preset == "quick":
        recipe = Recipe(
            optimizer="adamw",
            learning_rate=5e-3,
            batch_size=64,
            epochs=epochs,
            schedule=OneCycle(warm=0.1),
        )
        return TextPretrain(data=(setup.data,), model=TINY, recipe=recipe, vocab_size=4000)
    names = TEXTS if setup.data in TEXTS else (setup.data,)
    return TextPretrain(data=names, model=SMALL, recipe=RECIPE)


def copies_of(setup: Setup, model: Procedure | None, trained_on: tuple[str, ...]) -> tuple[Arm, ...]:
    """Return an arm for each data set that a given model was trained on: how many test sentences stand there.

    Raises:
        UserError: no model was given, whose training that could be.
    """
    if trained_on and model is None:
        raise UserError(
            f"trained_on={trained_on} says what a given model was trained on; name the model as well, or leave it out."
        )
    return tuple(
        Arm(
            name=f"copies-{name}",
            label=f"test sentences in {name}",
            factors={"trained on": name},
            procedure=TextOverlap(data=setup.data, known=name),
        )
        for name in dict.fromkeys(trained_on)
    )


def copies_table(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    """Return the table of these arms, which stands before every comparison; none without them."""
    if not arms:
        return ()
    return (
        Table(
            name="copies",
            title="Test sentences that the model was trained on",
            caption="Share of the test sentences that stand in the training part of the data set, as they are and once case, "
            "punctuation and spaces are evened out. What the model says of these is no evidence of what it says of others.",
            measures=tuple(TEXT_OVERLAP.measures),
            arms=tuple(arm.name for arm in arms),
        ),
    )


def told_copies(model: Procedure | None, trained_on: tuple[str, ...]) -> str:
    """Say, with a space before it, what is known of the sentences that a given model has read."""
    if model is None:
        return ""
    if not trained_on:
        return (
            " Which sentences the given model has read is not known here: --trained-on NAME counts the test sentences among "
            "the training sentences of a data set."
        )
    return f" The model was trained on {', '.join(trained_on)}: test sentences that stand there are counted and said first."


def encoder_name(encoder: Procedure) -> str:
    """Return what people call it."""
    if isinstance(encoder, TextPretrain):
        epochs = encoder.recipe.epochs
        return (
            f"a DistilBERT of {encoder.model.layers} layers of width {encoder.model.dim}, pre-trained here for {epochs} "
            f"epoch{'s' if epochs > 1 else ''} on the training sentences of {', '.join(encoder.data)}"
        )
    return getattr(getattr(encoder, "files", None), "name", "a given encoder")


def layers_of(encoder: Procedure) -> tuple[int, ...]:
    """Return the layers to compare: all of a small encoder, else the embeddings, the third and the last two."""
    if isinstance(encoder, TextPretrain):
        return (*range(encoder.model.layers), -1)
    return (0, 3, -2, -1)
