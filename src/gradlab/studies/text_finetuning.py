"""How much of an encoder of texts has to be trained?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm, Design, Twins
from gradlab.lab.designing.shown import Figure, Table
from gradlab.studies._shared import (
    ACCURACY,
    LOSS,
    PROTOCOL,
    chance_line,
    learning_curves,
    mistakes_of,
)
from gradlab.studies._text_finetuning_arms import (
    HARDLY,
    POLICIES,
    build_arms,
    deviations_of,
    encoder_of,
    named,
    recipe_of,
)
from gradlab.studies._text_finetuning_claims import claims_of
from gradlab.studies._text_nets import copies_of, copies_table, told_copies
from gradlab.studies._text_words import WORDS_FIGURE, WORDS_TABLE
from gradlab.studies.setup import Network, Setup, TextSetup
from gradlab.types import Count

BACKGROUND = (
    "An encoder that has read many sentences is used to classify others. Either all of it is trained, with a new head, or only "
    "its last block, or small matrices beside its attention (LoRA), or the head alone; or a linear SVM reads its features. All "
    "start from the same weights and the same head, see the same labelled sentences for as many epochs, and keep the weights "
    "of the epoch with the best validation loss. Beside them stands the same network from random weights. What is frozen is "
    "checked to be bit-identical after training."
)


def text_finetuning(
    setup: TextSetup,
    *,
    model: Network | None = None,
    epochs: Count | None = None,
    trained_on: tuple[str, ...] = (),
) -> Design:
    """How much of an encoder of texts has to be trained?

    Args:
        setup: preset and data, which hold texts, such as rotten-tomatoes.
        model: an encoder, by folder or name, instead of the preset's own: DistilBERT in full, else a small one that is
            pre-trained here.
        epochs: of every arm; the preset's own by default.
        trained_on: data sets on whose training sentences a given model was trained, such as sst2; the test sentences that stand
            there are counted and said first.
    """
    copies = copies_of(setup, model, trained_on)
    encoder, recipe = encoder_of(setup, model), recipe_of(setup, epochs)
    arms = build_arms(setup, encoder, recipe)
    deviations = deviations_of(setup, encoder.kind)
    return Design(
        study="text-finetuning",
        title="Fine-tuning an encoder of texts",
        question="How much of an encoder of texts has to be trained?",
        background=BACKGROUND,
        setting="000, 001, 002, 003 and 004",
        setting_text=f"{named(encoder.kind)}; {recipe.describe()}; LoRA and head alone at higher rates."
        + (HARDLY if setup.preset == "quick" and model is None else told_copies(model, trained_on)),
        corrections=(
            *PROTOCOL,
            "every arm starts from the same weights (labs 000 and 004: some go on from a network that was fine-tuned already)",
            "every batch is padded to its longest text (lab 004: to 512 tokens)",
        ),
        deviations=deviations,
        parameters={"model": None if model is None else model.kind, "epochs": recipe.epochs}
        | ({"trained_on": list(trained_on)} if trained_on else {}),
        arms=(*copies, *arms),
        claims=claims_of(deviations),
        tables=(*copies_table(copies), *_tables()),
        figures=_figures(setup, arms),
        twins=(Twins(a="all", b="scratch"), Twins(a="all", b="mixed")),
    )


def _tables() -> tuple[Table, ...]:
    tuned = tuple(POLICIES)
    return (
        Table(
            name="accuracy",
            title="Accuracy of every way to train",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test sentences. Parameters: "
            "numbers that were trained.",
            measures=(ACCURACY, "macro F1", "validation accuracy"),
        ),
        Table(
            name="scores",
            title="More scores on the test sentences",
            caption="Loss in nats; precision and recall: means over the classes. Intervals over seeds alone.",
            measures=(LOSS, "macro precision", "macro recall", "calibration error"),
            arms=tuned,
        ),
        Table(
            name="costs",
            title="What was frozen, and what each cost",
            caption="Frozen: share of the parameters that no stage trained and that are bit-identical after training. Padding: "
            "share of the tokens of training batches. Wall time and peak memory of a run on the machine that made it, beside "
            "whatever else ran there: reported, but no claim rests on it.",
            measures=("frozen", "best epoch", "padding", "seconds", "peak memory"),
            arms=tuned,
        ),
        WORDS_TABLE,
    )


def _figures(setup: Setup, arms: tuple[Arm, ...]) -> tuple[Figure, ...]:
    against = {
        "parameters": ("accuracy-by-parameters", "Accuracy against the parameters that were trained"),
        "seconds": ("accuracy-by-seconds", "Accuracy against the seconds that it took"),
    }
    tuned = {"method": [label for label, _ in POLICIES.values()]}
    confusion, _ = mistakes_of(next(arm for arm in arms if arm.name == "all"), of="sentences")
    return (
        *(
            Figure(
                name=name,
                title=title,
                caption="Each small dot is one seed, the large one their mean with its 95 % interval.",
                mark="points",
                x=x,
                y=ACCURACY,
                by="method",
                panel="data",
                x_scale="log",
                reference=chance_line(setup.class_count),
            )
            for x, (name, title) in against.items()
        ),
        learning_curves(by="method", panel="data", where=tuned),
        learning_curves(by="method", panel="data", y="validation_loss", where=tuned),
        replace(confusion, caption=confusion.caption.replace("images", "sentences")),
        WORDS_FIGURE,
    )
