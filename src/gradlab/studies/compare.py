"""Which of these networks is better on this data?"""

from __future__ import annotations

from typing import Annotated

from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.models.mlp import MLP
from gradlab.procedures.train import Custom, Train
from gradlab.statistics import difference
from gradlab.studies._shared import accuracy_table, learning_curves, mistakes_of, part, scores_table
from gradlab.studies.setup import PYTHON_ONLY, Setup
from gradlab.training.recipe import Optimizer, Recipe
from gradlab.types import Count, PositiveFloat, UserError

BACKGROUND = (
    "The networks get the same images in the same order, the same recipe and the same number of seeds, and are compared "
    "seed by seed on the same test images. One recipe for all is fair only as far as it suits all: try another learning "
    "rate before you give a network up."
)
MEANS = (
    "The same images, seeds and recipe for both, so that only the networks differ. What counts is the accuracy on test images, "
    "with an interval for the luck of the seeds and of the choice of test images."
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
        widths: compare MLPs of these widths instead; 64 and 4 if nothing is given.
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
    nets = _mlps(widths or (64, 4), depth) if models is None else models
    _check_names(list(nets))
    small = setup.is_small
    recipe = Recipe(
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size or (SMALL_BATCH if small else 128),
        epochs=epochs or (SMALL_EPOCHS if small else EPOCHS[setup.preset]),
    )
    first, *others = nets
    arms = tuple(
        Arm(
            name=name,
            label=name,
            factors={"model": name, "data": setup.data},
            procedure=Train(data=setup.data, model=net, recipe=recipe),
        )
        for name, net in nets.items()
    )
    return Design(
        study="compare",
        title=f"{first} against {', '.join(others)}",
        question="Which of these networks is better on this data?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{', '.join(nets)}, all trained alike: {recipe.describe()}",
        deviations=(),
        parameters={
            "models": list(nets),
            "epochs": recipe.epochs,
            "learning_rate": learning_rate,
            "batch_size": recipe.batch_size,
            "optimizer": optimizer,
            "delta": delta,
        },
        arms=arms,
        claims=tuple(_claim(number, first, other, delta) for number, other in enumerate(others, 1)),
        tables=(accuracy_table(title="Accuracy of every network"), scores_table()),
        figures=(learning_curves(by="model", panel="data"), *mistakes_of(arms[0])),
    )


def _check_names(names: list[str]) -> None:
    if len(names) < 2 or "" in names:
        raise UserError(f"compare needs at least two networks, each with a name of its own, got {names}.")
    if any(set(name) & set("{|}") for name in names):
        raise UserError(f"names of networks must not contain braces or bars, got {names}; rename them.")


def _mlps(widths: tuple[int, ...], depth: int) -> dict[str, MLP | Custom]:
    return {f"mlp-{width}": MLP(width=width, depth=depth) for width in widths}


def _claim(number: int, first: str, other: str, delta: float) -> Claim:
    better = part(f"{first} - {other}", difference(first, other), delta=delta)
    numbers = f"{{{first}}} and {{{other}}} of the test images classified correctly"
    return Claim(
        id=f"compare-{number}",
        statement=f"{first} is more accurate than {other}",
        parts=(better,),
        says={
            "supported": f"{first} is better than {other} by {{size}}: {numbers}.",
            "refuted": f"{first} against {other}: {{reading}}; {numbers}.",
            "open": f"{first} against {other}: {{reading}}; {numbers}.",
        },
        means=MEANS,
        figure="learning-curves",
    )
