"""Do residual connections help CNNs, and does that depend on depth?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from gradlab.lab.designing.design import OWN, Arm, Design, Twins
from gradlab.lab.designing.shown import Figure
from gradlab.studies._cnn_claims import claims_of
from gradlab.studies._cnn_settings import SCALED, SETTINGS, Setting, at_preset, build_arms
from gradlab.studies._shared import (
    accuracy_table,
    chance_line,
    gradients_by_layer,
    gradients_table,
    learning_curves,
    mistakes_of,
    other_data,
    other_recipe,
    scores_table,
)
from gradlab.studies.setup import Setup
from gradlab.types import Count, PositiveFloat, UserError

MOST_LAYERS = 200
BACKGROUND = (
    "Five published labs trained CNNs with and without residual connections on CIFAR-10, and they contradict each other: skips "
    "always help; they matter most in shallow nets; deep plain nets get worse; they get better. Each comes from one run, and "
    "often the nets differ in more than the skips. Here a residual net and its plain twin have the same layers, norms and "
    "parameters, start from the same bits and see the same images in the same order; depth changes nothing but the number of "
    "blocks. Gradients are measured before, during and after training."
)


def residual_cnn(
    setup: Setup,
    *,
    setting: Literal["scaled", "000", "001", "002", "003", "004"] = "scaled",
    depths: tuple[Count, ...] | None = None,
    epochs: Count | None = None,
    learning_rate: PositiveFloat | None = None,
    batch_size: Count | None = None,
    images: Count | None = None,
) -> Design:
    """Do residual connections help CNNs, and does that depend on depth?

    Args:
        setup: preset and data.
        setting: "scaled" asks the question with nets that two cores can train; 000 to 004 are arms and recipe of a published
            lab, made for a GPU.
        depths: layers (scaled), or what the setting counts; the setting's own by default.
        epochs: how many at most; the setting's own by default.
        learning_rate: that of Adam; the setting's own by default.
        batch_size: images in one step; the setting's own by default.
        images: training images, drawn afresh for every seed; the setting's own by default.
    """
    published = SETTINGS[setting]
    chosen = at_preset(published, setup)
    _check_depths(depths, published)
    given: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size}
    recipe = replace(chosen.recipe, **{name: value for name, value in given.items() if value is not None})
    count = images or chosen.train_images
    chosen = replace(
        chosen, depths=tuple(sorted({*(depths or chosen.depths)})), recipe=recipe, train_images=count
    )
    arms = build_arms(chosen, setup)
    fewer = f" on {count:,} training images" if count else ""
    return Design(
        study="residual-cnn",
        title="Residual connections in CNNs",
        question="Do residual connections help CNNs, and does that depend on depth?",
        background=BACKGROUND,
        setting=OWN if setting == SCALED else setting,
        setting_text=f"{chosen.net}; {recipe.describe()}{fewer}.",
        corrections=chosen.corrections,
        deviations=() if setting == SCALED else _deviations(published, chosen, setup),
        parameters={
            "depths": list(chosen.depths),
            "epochs": recipe.epochs,
            "learning_rate": recipe.learning_rate,
            "batch_size": recipe.batch_size,
            "images": count,
        },
        arms=arms,
        claims=claims_of(chosen, small=setup.is_small),
        tables=(accuracy_table(), scores_table(), gradients_table()),
        figures=_figures(chosen, arms, setup.class_count),
        twins=tuple(Twins(a=arm.name, b=str(arm.factors["twin"])) for arm in arms if arm.factors["twin"] != "none"),
    )  # fmt: skip


def _check_depths(depths: tuple[int, ...] | None, published: Setting) -> None:
    if depths is None:
        return
    if not depths or max(depths) > MOST_LAYERS:
        raise UserError(f"depths needs numbers up to {MOST_LAYERS}, for example 8 20; got {depths}.")
    fixed = published.name in ("000", "001", "003")
    if fixed and not set(depths) <= set(published.depths):
        raise UserError(
            f"setting {published.name} has the depths {published.depths}; choose among these, got {depths}."
        )


def _deviations(published: Setting, chosen: Setting, setup: Setup) -> tuple[str, ...]:
    """Name everything in which this run is not the published one."""
    found = [*published.unknown, *other_data(setup, "cifar10")]
    if chosen.depths != published.depths:
        found.append(
            f"depths {', '.join(map(str, chosen.depths))} instead of {', '.join(map(str, published.depths))}"
        )
    if chosen.train_images is not None:
        found.append(f"{chosen.train_images:,} training images instead of all")
    return (*found, *other_recipe(chosen.recipe, published.recipe))


def _figures(chosen: Setting, arms: tuple[Arm, ...], classes: int) -> tuple[Figure, ...]:
    deep = max(chosen.depths)
    by_depth = Figure(
        name="accuracy-by-depth",
        title=f"Test accuracy against depth, in {chosen.counted}",
        caption="Each dot is one seed; the line is the mean with its 95 % interval.",
        x="depth",
        y="test accuracy",
        by="net",
        x_scale="category",
        reference=chance_line(classes),
    )
    flow = Figure(
        name="gradient-over-training",
        title=f"Gradient of the first layer over training, {deep} {chosen.counted}",
        caption="Weight-gradient norm of the stem on one fixed training batch against the optimiser's steps: geometric mean "
        "over seeds with a 95 % band.",
        table="probes",
        x="step",
        y="weight_gradient",
        by="net",
        where={"depth": deep, "index": 0},
        x_scale="log",
        y_scale="log",
    )
    return (
        by_depth,
        gradients_by_layer(
            by="net", title=f", {deep} {chosen.counted}", where={"depth": deep, "matrix": True}
        ),
        flow,
        learning_curves(by="net", panel="depth"),
        *mistakes_of(arms[-1]),
    )
