"""How large must an MLP be?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.models.mlp import MLP
from gradlab.procedures.train import Train
from gradlab.studies._mlp_capacity_claims import claims_of
from gradlab.studies._shared import (
    PROTOCOL,
    accuracy_table,
    learning_curves,
    mistakes_of,
    other_data,
    other_recipe,
    scores_table,
)
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience, StagnationOverfit
from gradlab.types import Count, PositiveFloat, UserError

WIDTHS = {"quick": (3, 10, 64), "standard": (3, 10, 32, 64, 128, 256), "full": (3, 10, 32, 64, 128, 256, 512)}
DEPTHS = {"quick": (1, 2), "standard": (1, 2, 3, 4), "full": (1, 2, 3, 4, 6)}
SWEEP = Recipe(optimizer="adam", learning_rate=1e-3, batch_size=128, epochs=50, stopping=Patience(patience=5))
LAB_000 = replace(SWEEP, stopping=StagnationOverfit())
LAB_004 = Recipe(optimizer="adam", learning_rate=1e-3, batch_size=256, epochs=50)
OWN_ARMS = "sizes of our own beside the published ones"
SMALL = {"batch_size": 32, "epochs": 60}
BACKGROUND = (
    "Capacity is what a network could represent; accuracy is what training makes of it. Here one hidden layer grows from 3 "
    "to hundreds of units, then a net of width 64 grows in depth, each with the same recipe, so that accuracy can be read "
    "against the number of parameters. Two nets of published labs stand beside them in recipes of their own: one that is "
    "said to classify MNIST well, and one that is said to do equally well with SGD and with Adam."
)


def mlp_capacity(
    setup: Setup,
    *,
    widths: tuple[Count, ...] | None = None,
    depths: tuple[Count, ...] | None = None,
    epochs: Count | None = None,
    sgd_learning_rate: PositiveFloat = 0.1,
) -> Design:
    """How large must an MLP be?

    Args:
        setup: preset and data.
        widths: units of the one hidden layer; three or more by default.
        depths: hidden layers of width 64.
        epochs: how many at most, for all arms.
        sgd_learning_rate: of SGD in the comparison with Adam.
    """
    widths, depths = (tuple(sorted(set(given or ()))) for given in (widths, depths))
    widths, depths = widths or WIDTHS[setup.preset], depths or DEPTHS[setup.preset]
    if len(widths) < 2 or len(depths) < 2:
        raise UserError(
            f"mlp-capacity compares at least two widths and two depths, got {widths} and {depths}."
        )
    recipes = {"001": SWEEP, "000": LAB_000, "004": LAB_004}
    change: dict[str, Any] = {"epochs": 15} if setup.preset == "quick" else {}
    change |= SMALL if setup.is_small else {}
    change |= {"epochs": epochs} if epochs else {}
    recipes = {lab: replace(recipe, **change) for lab, recipe in recipes.items()}
    adam, sgd = recipes["004"], replace(recipes["004"], optimizer="sgd", learning_rate=sgd_learning_rate)
    arms = _arms(setup, widths, depths, recipes, sgd)
    labs = {
        lab: (*other_data(setup), *other_recipe(recipes[lab], was))
        for lab, was in (("001", SWEEP), ("000", LAB_000), ("004", LAB_004))
    }
    if sgd_learning_rate != 0.1:
        labs["004"] += (f"learning rate of SGD {sgd_learning_rate:g} instead of 0.1",)
    claims = claims_of(widths, depths, labs, small=setup.is_small)
    return Design(
        study="mlp-capacity",
        title="Capacity of MLPs",
        question="How large must an MLP be?",
        background=BACKGROUND,
        setting="000, 001 and 004",
        setting_text=f"Width and depth: {recipes['001'].describe()}; 128-64: {recipes['000'].describe()}; "
        f"64-64: {adam.describe()}, or SGD {sgd_learning_rate:g}.",
        corrections=(
            *PROTOCOL,
            "best weights kept in setting 000 (published: the last)",
            "5,000 validation images (lab 000: 6,000)",
        ),
        deviations=(*dict.fromkeys(one for claim in claims for one in claim.deviations or ()), OWN_ARMS),
        parameters={
            "widths": list(widths),
            "depths": list(depths),
            "epochs": recipes["001"].epochs,
            "sgd_learning_rate": sgd_learning_rate,
        },
        arms=arms,
        claims=claims,
        tables=(accuracy_table(), scores_table()),
        figures=_figures(arms[len(widths) - 1]),
    )


def _arms(
    setup: Setup, widths: tuple[int, ...], depths: tuple[int, ...], recipes: dict[str, Recipe], sgd: Recipe
) -> tuple[Arm, ...]:
    def arm(family: str, size: int | str, label: str, model: MLP, recipe: Recipe) -> Arm:
        return _arm(Train(data=setup.data, model=model, recipe=recipe), family, size, label)

    return (
        *(arm("width", width, f"one layer of {width}", MLP(width=width, depth=0), recipes["001"]) for width in widths),
        *(
            arm("depth", depth, f"{depth} layers of 64", MLP(width=64, depth=depth - 1), recipes["001"])
            for depth in depths
            if (depth, 64) not in {(1, width) for width in widths}
        ),
        arm("lab", "000", "128-64 with dropout", MLP(widths=(128, 64), dropout=0.2, dropout_place="block-end"), recipes["000"]),
        arm("lab", "004-sgd", "64-64, SGD", MLP(width=64, depth=1), sgd),
        arm("lab", "004-adam", "64-64, Adam", MLP(width=64, depth=1), recipes["004"]),
    )  # fmt: skip


def _arm(procedure: Train, family: str, size: int | str, label: str) -> Arm:
    factors: dict[str, str | int | float] = {"family": family, "size": label}
    factors["line"] = label if family == "lab" else family
    return Arm(name=f"{family}-{size}", label=label, factors=factors, procedure=procedure)


def _figures(widest: Arm) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-parameters",
            title="Test accuracy against parameters",
            caption="Each dot is one seed; the line is the mean with its 95 % interval. Width buys much at first and "
            "little later; the nets of the labs have recipes of their own.",
            x="parameters",
            y="test accuracy",
            by="line",
            x_scale="log",
        ),
        learning_curves(by="size", panel="family"),
        *mistakes_of(widest),
    )
