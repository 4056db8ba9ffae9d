"""Does a network that was trained on some classes help to learn others?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm, Design, Twins
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.studies._nets import source_cnn
from gradlab.studies._shared import ACCURACY, PROTOCOL, accuracy_table, learning_curves, mistakes_of
from gradlab.studies._transfer_arms import build_arms, recipe_of
from gradlab.studies._transfer_claims import claims_of
from gradlab.studies._transfer_data import Pair, deviations_of, pair_of
from gradlab.studies.setup import Setup
from gradlab.types import Count

BACKGROUND = (
    "A network learns some classes; then it is used for others. Either it stays as it is, and a classical classifier is fitted "
    "to its features, or parts of it, or all of it, are trained on with a new head. Beside them stands what is often left out: "
    "the same network trained from scratch on the same images for as many epochs. All see the same training, validation and "
    "test images; hyper-parameters of the heads and the epochs whose weights are kept are chosen on validation images; what is "
    "frozen is proven to be bit-equal after training, the statistics of batch norms included."
)


def transfer(
    setup: Setup,
    *,
    target: str | None = None,
    source_epochs: Count | None = None,
    epochs: Count | None = None,
) -> Design:
    """Does a network that was trained on some classes help to learn others?

    Args:
        setup: preset and data, which the network learns first.
        target: data that it is used for then; CIFAR-100 for CIFAR-10, of other data one half of the classes for the other.
        source_epochs: of the network that is transferred; the preset's own by default.
        epochs: of every fine-tuning, the control included; the preset's own by default.
    """
    pair = pair_of(setup, target)
    source = source_cnn(setup, pair.source, epochs=source_epochs)
    recipe = recipe_of(setup, epochs)
    arms = build_arms(setup, source, pair.target, recipe)
    return Design(
        study="transfer",
        title="Transfer to other classes",
        question="Does a network that was trained on some classes help to learn others?",
        background=BACKGROUND,
        setting="000, 001 and 004",
        setting_text=f"Source: {pair.source}, {source.recipe.describe()}; target: {pair.target}, {recipe.describe()}.",
        corrections=(
            *PROTOCOL,
            "every arm starts from the same weights (lab 004: one from a head that was trained already)",
            "frozen batch norms keep their statistics (lab 004: they move)",
        ),
        deviations=deviations_of(setup, pair),
        parameters={
            "target": pair.target,
            "source_epochs": source.recipe.epochs,
            "epochs": recipe.epochs,
        },
        arms=arms,
        claims=claims_of(deviations_of(setup, pair), small=setup.is_small),
        tables=_tables(arms),
        figures=_figures(arms, pair),
        twins=(Twins(a="all", b="scratch"), Twins(a="all", b="discriminative")),
    )


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    transferred = tuple(arm.name for arm in arms if arm.name != "source")
    tuned = tuple(arm.name for arm in arms if arm.procedure.kind == "fine-tune")
    return (
        Table(
            name="accuracy",
            title="Accuracy on the new classes",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test images. Parameters: "
            "numbers that were fitted; of nearest neighbours and the kernel SVM, those that they keep.",
            measures=(ACCURACY, "macro F1", "validation accuracy"),
            arms=transferred,
        ),
        Table(
            name="frozen",
            title="What was frozen, proven",
            caption="Share of the network's parameters that no stage trained and that are bit-equal after training, and the "
            "epoch whose weights are kept.",
            measures=("frozen", "best epoch"),
            arms=tuned,
        ),
        Table(
            name="costs",
            title="What each cost",
            caption="Wall time and peak memory of a run on the machine that made it, beside whatever else ran there: told, "
            "and no claim rests on it. A head's time holds that of its features.",
            measures=("seconds", "peak memory"),
            arms=transferred,
        ),
        replace(
            accuracy_table(arms=("source",), title="The source network on its own classes"), name="source"
        ),
    )


def _figures(arms: tuple[Arm, ...], pair: Pair) -> tuple[Figure, ...]:
    chance = (Reference(axis="y", value=1 / pair.classes, label="chance"),) if pair.classes else ()
    shown = {"family": sorted({str(arm.factors["family"]) for arm in arms if arm.name != "source"})}
    against = {
        "parameters": ("accuracy-by-parameters", "Accuracy against the numbers that were fitted"),
        "seconds": ("accuracy-by-seconds", "Accuracy against the seconds that it took"),
    }
    tuned = next(arm for arm in arms if arm.name == "all")
    frozen = next(arm for arm in arms if arm.name == "linear-svm")
    before, *_ = mistakes_of(frozen)
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
                panel="family",
                where=shown,
                x_scale="log",
                reference=chance,
            )
            for x, (name, title) in against.items()
        ),
        learning_curves(by="method", panel="family", where=shown),
        Figure(
            name="embedding",
            title="Features of the new classes, before and after fine-tuning",
            caption="Test images of the first new classes (ten at most) by the first two principal components of the features "
            "before the last layer, of the first seed; a large mark is the mean of a class. Before, with the panel of the "
            "linear SVM: the source network as it was. After: all layers fine-tuned.",
            mark="points",
            table="embedding",
            x="x",
            y="y",
            by="label",
            panel="arm",
            where={"arm": [frozen.name, tuned.name]},
        ),
        replace(before, name="confusion-before"),
        *mistakes_of(tuned),
    )
