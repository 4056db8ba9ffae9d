"""Does the optimiser matter once each has its learning rate?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Pick
from gradlab.lab.designing.shown import Figure
from gradlab.models.mlp import MLP
from gradlab.procedures.train import Train
from gradlab.studies._optimisers_claims import claims_of
from gradlab.studies._shared import (
    PROTOCOL,
    accuracy_table,
    learning_curves,
    mistakes_of,
    scores_table,
)
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.types import Count, UserError

OPTIMISERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"optimizer": "sgd"}),
    "momentum": ("SGD with momentum 0.9", {"optimizer": "sgd", "momentum": 0.9}),
    "adam": ("Adam", {"optimizer": "adam"}),
    "adamw": ("AdamW, weight decay 0.01", {"optimizer": "adamw", "weight_decay": 0.01}),
}
RATES = {
    "sgd": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "adam": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
    "adamw": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
}
"""Six rates each, in half powers of ten; a choice at either end is flagged."""
EPOCHS = {"quick": 3, "standard": 10, "full": 30}
BACKGROUND = (
    "Optimisers are often compared at one learning rate, which decides more than the optimiser does. Here each gets the same "
    "budget: the same number of rates, the same epochs, the same net and the same initial weights. In every seed it takes the "
    "rate with the lowest validation loss, and what it then reaches on the test images is compared. Since every seed chooses "
    "for itself, the interval includes the luck of a seed in its choice as well; the validation images are the same for all."
)


def optimisers(
    setup: Setup,
    *,
    rates: Count | None = None,
    epochs: Count | None = None,
    batch_size: Count | None = None,
) -> Design:
    """Does the optimiser matter once each has its learning rate?

    Args:
        setup: preset and data.
        rates: how many learning rates each optimiser may try, 2 to 6, spread over the same range; 6 by default, 3 in
            the preset quick.
        epochs: of every run; the preset's own by default.
        batch_size: images in one step.
    """
    count = rates or (3 if setup.preset == "quick" else 6)
    if not 2 <= count <= 6:
        raise UserError(f"rates must lie between 2 and 6, got {count}.")
    small = setup.is_small
    recipe = Recipe(
        batch_size=batch_size or (32 if small else 128),
        epochs=epochs or (40 if small else EPOCHS[setup.preset]),
    )
    grids = {name: _spread(grid, count) for name, grid in RATES.items()}
    arms = tuple(_arm(setup, name, rate, recipe) for name, grid in grids.items() for rate in grid)
    best = _best(arms)
    return Design(
        study="optimisers",
        title="Optimisers at equal budget",
        question="Does the optimiser matter once each has its learning rate?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"128-64, ReLU; {count} rates for each optimiser, chosen on validation images in every seed; "
        f"batch {recipe.batch_size}, {recipe.epochs} epochs, best validation loss kept.",
        corrections=PROTOCOL,
        deviations=(),
        parameters={
            "rates": count,
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
        },
        arms=(*arms, *best),
        claims=claims_of(grids, small=small),
        tables=(
            accuracy_table(
                arms=tuple(one.name for one in best), title="Every optimiser at the rate it chooses"
            ),
            replace(accuracy_table(), name="rates", title="Every optimiser at every rate"),
            scores_table(arms=tuple(one.name for one in best)),
        ),
        figures=_figures(next(one for one in best if one.name == "adam-best")),
    )


def _best(arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
    return tuple(
        Arm(
            name=f"{name}-best",
            label=f"{OPTIMISERS[name][0]}, chosen rate",
            factors={"optimiser": OPTIMISERS[name][0], "rate": "chosen"},
            procedure=Pick(
                among=tuple(arm.procedure for arm in arms if arm.factors["optimiser"] == OPTIMISERS[name][0])
            ),
        )
        for name in OPTIMISERS
    )


def _spread(grid: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Choose `count` of the rates, evenly spread, the highest among them."""
    step = len(grid) / count
    return tuple(grid[math.ceil(step * (place + 1)) - 1] for place in range(count))


def _arm(setup: Setup, name: str, rate: float, recipe: Recipe) -> Arm:
    label, change = OPTIMISERS[name]
    return Arm(
        name=f"{name}-{rate:g}",
        label=f"{label}, rate {rate:g}",
        factors={"optimiser": label, "rate": f"{rate:g}", "learning rate": rate},
        procedure=Train(
            data=setup.data,
            model=MLP(widths=(128, 64)),
            recipe=replace(recipe, learning_rate=rate, **change),
        ),
    )


def _figures(adam: Arm) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-rate",
            title="Test accuracy against the learning rate",
            caption="Each dot is one seed; the line is the mean with its 95 % interval. A wide flat top forgives a wrong "
            "rate; the choice is made on validation images, never on these.",
            x="learning rate",
            y="test accuracy",
            by="optimiser",
            x_scale="log",
        ),
        learning_curves(by="optimiser", panel="rate", y="train_loss", where={"rate": "chosen"}),
        learning_curves(by="optimiser", panel="rate", where={"rate": "chosen"}),
        *mistakes_of(adam),
    )
