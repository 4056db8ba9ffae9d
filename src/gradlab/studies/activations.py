"""Which activations let a deep MLP train?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.models.mlp import Activation
from gradlab.studies._activations_arms import (
    ALL,
    NETS,
    PRESETS,
    PUBLISHED,
    SMALL,
    SMALL_QUICK,
    THREE,
    arm_of,
    deviations_of,
)
from gradlab.studies._activations_claims import claims_of
from gradlab.studies._shared import (
    PROTOCOL,
    accuracy_table,
    chance_line,
    gradients_by_layer,
    gradients_table,
    learning_curves,
    mistakes_of,
    scores_table,
)
from gradlab.studies.setup import Setup
from gradlab.types import Count, PositiveFloat, UserError

BACKGROUND = (
    "A sigmoid's slope is at most a quarter, so ten layers of it can shrink a gradient a millionfold: it saturates, and so does "
    "tanh far from zero. Here one MLP of 2 to 10 hidden layers is trained with five activations, from the same initial "
    "weights and in the same order of the data. As a control the deepest net also starts from the initialisation that was "
    "made for its activation (Xavier for sigmoid and tanh, He for the others): if that mends it, the starting scale was to "
    "blame, not the activation alone."
)


def activations(
    setup: Setup,
    *,
    activations: tuple[Activation, ...] | None = None,
    depths: tuple[Count, ...] | None = None,
    epochs: Count | None = None,
    learning_rate: PositiveFloat = 1e-3,
    batch_size: Count | None = None,
) -> Design:
    """Which activations let a deep MLP train?

    Args:
        setup: preset and data.
        activations: which to compare; all five by default, sigmoid, tanh and relu in the preset quick. relu is the
            reference and always among them.
        depths: hidden layers: 2, 5 or 10, as published; 2 and 10 by default, all three in the preset full.
        epochs: at most; the preset's own by default.
        learning_rate: of Adam.
        batch_size: images in one step; the preset's own by default.
    """
    quick = setup.preset == "quick"
    kinds = tuple(dict.fromkeys((*(activations or (THREE if quick else ALL)), "relu")))
    chosen = tuple(sorted(set(depths or ((2, 5, 10) if setup.preset == "full" else (2, 10)))))
    if not set(chosen) <= set(NETS):
        raise UserError(f"depths are 2, 5 or 10 hidden layers, as published, got {chosen}.")
    if len(kinds) < 2:
        raise UserError("activations compares relu with at least one other; add one, such as tanh.")
    change = PRESETS[setup.preset] if not setup.is_small else SMALL_QUICK if quick else SMALL
    given = {"epochs": epochs, "batch_size": batch_size}
    change = {**change, "learning_rate": learning_rate} | {k: v for k, v in given.items() if v is not None}
    recipe, deep = replace(PUBLISHED, **change), max(chosen)
    arms = (
        *(arm_of(setup, kind, depth, "default", recipe) for depth in chosen for kind in kinds),
        *(arm_of(setup, kind, deep, "matched", recipe) for kind in kinds),
    )
    return Design(
        study="activations",
        title="Activations in deep MLPs",
        question="Which activations let a deep MLP train?",
        background=BACKGROUND,
        setting="002",
        setting_text=f"Hidden layers {', '.join(f'{d}: ' + '-'.join(map(str, NETS[d])) for d in chosen)}; "
        f"no normalisation, no dropout; {recipe.describe()}.",
        corrections=(*PROTOCOL, "gradients measured (published: training loss alone)"),
        deviations=deviations_of(setup, recipe, chosen, kinds),
        parameters={
            "activations": list(kinds),
            "depths": list(chosen),
            "epochs": recipe.epochs,
            "learning_rate": learning_rate,
            "batch_size": recipe.batch_size,
        },
        arms=arms,
        claims=claims_of(kinds, chosen, small=setup.is_small),
        tables=(accuracy_table(), gradients_table(), scores_table()),
        figures=_figures(deep, setup.class_count, next(arm for arm in arms if arm.name == f"relu-{deep}")),
    )  # fmt: skip


def _over_training(deep: int) -> Figure:
    return Figure(
        name="gradient-over-training",
        title=f"Gradient of the first layer over training, {deep} hidden layers",
        caption="Weight-gradient norm of the first layer on one fixed training batch against the optimiser's steps: "
        "geometric mean over seeds with a 95 % band. What starts at the bottom may yet rise, or never.",
        table="probes",
        x="step",
        y="weight_gradient",
        by="activation",
        panel="init",
        where={"depth": deep, "index": 0},
        x_scale="log",
        y_scale="log",
    )


def _figures(deep: int, classes: int, relu: Arm) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-depth",
            title="Test accuracy against depth",
            caption="Each dot is one seed; the line is the mean with its 95 % interval. Left: PyTorch's default "
            "initialisation; right: the one made for the activation.",
            x="depth",
            y="test accuracy",
            by="activation",
            panel="init",
            x_scale="category",
            reference=chance_line(classes),
        ),
        gradients_by_layer(
            by="activation",
            title=f", {deep} hidden layers",
            where={"depth": deep, "init": "default initialisation"},
        ),
        _over_training(deep),
        learning_curves(by="activation", panel="init", y="train_loss", where={"depth": deep}),
        *mistakes_of(relu),
    )
