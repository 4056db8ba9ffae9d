"""Which of these networks is better on this data?"""

from __future__ import annotations

from typing import Annotated

from gradlab.lab.design import Arm, Claim, Confusion, Curve, Custom, Design, Gallery, Part, Table
from gradlab.models.mlp import MLP
from gradlab.statistics import difference
from gradlab.studies.setup import PYTHON_ONLY, Setup
from gradlab.training.recipe import Optimizer, Recipe
from gradlab.types import Count, PositiveFloat, UserError

BACKGROUND = (
    "The networks get the same images in the same order, the same recipe and the same number of seeds, and are compared "
    "seed by seed on the same test images. One recipe for all is fair only as far as it suits all: try another learning "
    "rate before you give a network up."
)
EPOCHS = {"quick": 5, "standard": 20, "full": 50}
SMALL_EPOCHS, SMALL_BATCH = 40, 32


def compare(
    setup: Setup,
    *,
    models: Annotated[dict[str, MLP | Custom] | None, PYTHON_ONLY] = None,
    widths: tuple[Count, ...] | None = None,
    depth: Count = 2,
    epochs: Count | None = None,
    learning_rate: PositiveFloat = 1e-3,
    batch_size: Count | None = None,
    optimizer: Optimizer = "adam",
    delta: PositiveFloat = 0.01,
) -> Design:
    """Which of these networks is better on this data?

    Args:
        setup: preset and data.
        models: name -> network: a torch.nn.Module, a function seed -> module, or a gradlab.models.MLP.
        widths: compare MLPs of these widths instead; 64 and 16 if nothing is given.
        depth: linear layers between stem and head of those MLPs.
        epochs: at most; the weights with the best validation loss are kept.
        learning_rate: of the optimizer.
        batch_size: images a step.
        optimizer: "adam", "adamw" or "sgd".
        delta: smallest difference in test accuracy that matters, as a fraction.
    """
    if models is not None and widths is not None:
        raise UserError(
            "compare takes models or widths, got both; give the MLPs of these widths among the models."
        )
    nets = _mlps(widths or (64, 16), depth) if models is None else models
    if len(nets) < 2 or "" in nets:
        raise UserError(
            f"compare needs at least two networks, each with a name of its own, got {list(nets)}."
        )
    small = setup.is_small
    recipe = Recipe(
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size or (SMALL_BATCH if small else 128),
        epochs=epochs or (SMALL_EPOCHS if small else EPOCHS[setup.preset]),
    )
    first, *others = nets
    return Design(
        study="compare",
        title=f"{first} against {', '.join(others)}",
        question="Which of these networks is better on this data?",
        background=BACKGROUND,
        setting="own",
        setting_text=f"{', '.join(nets)}, all trained alike: {recipe.describe()}",
        deviations=("a comparison of your own",),
        parameters={
            "models": list(nets),
            "epochs": recipe.epochs,
            "learning_rate": learning_rate,
            "batch_size": recipe.batch_size,
            "optimizer": optimizer,
            "delta": delta,
        },
        arms=tuple(
            Arm(name=name, label=name, factors={"model": name, "data": setup.data}, model=net, recipe=recipe)
            for name, net in nets.items()
        ),
        claims=tuple(_claim(number, first, other, delta) for number, other in enumerate(others, 1)),
        tables=_tables(),
        figures=_figures(first),
    )


def _mlps(widths: tuple[int, ...], depth: int) -> dict[str, MLP | Custom]:
    return {f"mlp-{width}": MLP(width=width, depth=depth) for width in widths}


def _claim(number: int, first: str, other: str, delta: float) -> Claim:
    better = Part(
        label=f"{first} - {other}", measure="test accuracy", contrast=difference(first, other), delta=delta
    )
    return Claim(
        id=f"compare-{number}",
        statement=f"{first} is more accurate than {other}",
        parts=(better,),
    )


def _tables() -> tuple[Table, ...]:
    return (
        Table(
            name="accuracy",
            title="Accuracy of every network",
            caption="Mean over seeds with a 95 % interval that holds the variance of seeds and of test images. "
            "Trained: runs above the share of the commonest class.",
            measures=("test accuracy", "best epoch", "epochs trained"),
        ),
        Table(
            name="scores",
            title="More scores on the test images",
            caption="Loss in nats; calibration error: mean gap between confidence and accuracy over 15 bins.",
            measures=("test loss", "macro F1", "calibration error"),
        ),
    )


def _figures(first: str) -> tuple[Curve | Confusion | Gallery, ...]:
    return (
        Curve(
            name="learning-curves",
            title="Learning curves",
            caption="Validation accuracy after every epoch: mean over the seeds still training, with a 95 % band.",
            source="epochs",
            x="epoch",
            y="validation_accuracy",
            by="model",
            panel="data",
        ),
        Confusion(
            name="confusion",
            title=f"Confusions of {first}",
            caption="Test images by true (row) and predicted (column) class, summed over the seeds.",
            arm=first,
        ),
        Gallery(
            name="worst-errors",
            title=f"Most confident errors of {first}",
            caption="True → predicted, with the probability that the net gave to its mistake.",
            arm=first,
        ),
    )
