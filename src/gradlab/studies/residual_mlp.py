"""Do residual connections let deep MLPs train?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from gradlab.lab.designing.design import Arm, Design, Twins
from gradlab.lab.designing.shown import Figure
from gradlab.models.mlp import Init
from gradlab.studies._residual_claims import claims_of
from gradlab.studies._residual_settings import SETTINGS, Setting, build_arms, quick
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

MOST_LAYERS, MOST_UNITS = 1_000, 10_000
BACKGROUND = (
    "A residual block adds its input to its output, so a deep net is a sum of shallow ones and the gradient always has a "
    "short way back. Here plain and residual MLPs come from one builder: same layers, same widths, the same initial "
    "weights to the last bit, the same order of the data. They differ in the skip alone. Several published labs claim that "
    "this decides whether a deep MLP trains at all; each claim is judged with its uncertainty over seeds and test images."
)


def residual_mlp(
    setup: Setup,
    *,
    setting: Literal["003", "004", "000", "001"] = "003",
    depths: tuple[Count, ...] | None = None,
    width: Count | None = None,
    epochs: Count | None = None,
    learning_rate: PositiveFloat | None = None,
    batch_size: Count | None = None,
    init: Init = "default",
) -> Design:
    """Do residual connections let deep MLPs train?

    Args:
        setup: preset and data.
        setting: arms and recipe of a published lab.
        depths: linear layers between stem and head (settings 003 and 004); the setting's own by default.
        width: units of every hidden layer (settings 003 and 004).
        epochs: how many at most; the setting's own by default.
        learning_rate: that of Adam; the setting's own by default.
        batch_size: images in one step; the setting's own by default.
        init: "default" is PyTorch's; "he" and "xavier" ask whether the claims survive a proper initialisation.
    """
    published = SETTINGS[setting]
    chosen = quick(published) if setup.preset == "quick" else published
    if setup.is_small:
        chosen = replace(chosen, recipe=replace(chosen.recipe, **chosen.small_recipe))
    if (depths or width) and not published.has_depths:
        raise UserError(f"setting {setting} fixes its nets; depths and width belong to settings 003 and 004.")
    if depths is not None and not depths:
        raise UserError("depths needs at least one number, for example 2 8 32.")
    if max(depths or (1,)) > MOST_LAYERS or (width or 1) > MOST_UNITS:
        raise UserError(
            f"depths go up to {MOST_LAYERS:,} and width to {MOST_UNITS:,}, got {depths} and {width}."
        )
    if setting == "004" and any(depth % 2 for depth in depths or ()):
        raise UserError(f"setting 004 has blocks of two layers, so its depths are even; got {depths}.")
    recipe: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size}
    given = {name: value for name, value in recipe.items() if value is not None}
    chosen = replace(chosen, recipe=replace(chosen.recipe, **given))
    chosen = replace(
        chosen, depths=tuple(sorted(set(depths or chosen.depths))), width=width or chosen.width, init=init
    )
    arms = build_arms(chosen, setup)
    return Design(
        study="residual-mlp",
        title="Residual connections in MLPs",
        question="Do residual connections let deep MLPs train?",
        background=BACKGROUND,
        setting=setting,
        setting_text=f"{chosen.net}; {chosen.recipe.describe()}.",
        corrections=chosen.corrections,
        deviations=_deviations(published, chosen, setup),
        parameters={
            "depths": list(chosen.depths),
            "width": chosen.width,
            "epochs": chosen.recipe.epochs,
            "learning_rate": chosen.recipe.learning_rate,
            "batch_size": chosen.recipe.batch_size,
            "init": init,
        },
        arms=arms,
        claims=claims_of(chosen, classes=setup.class_count, small=setup.is_small),
        tables=(accuracy_table(), scores_table(), gradients_table()),
        figures=_figures(chosen, arms, setup.class_count),
        twins=tuple(
            Twins(a=arm.name, b=str(arm.factors["twin"])) for arm in arms if arm.factors["twin"] != "none"
        ),
    )


def _deviations(published: Setting, chosen: Setting, setup: Setup) -> tuple[str, ...]:
    """Name everything in which this run is not the published one."""
    found = [*published.unknown, *other_data(setup)]
    for name in ("depths", "width", "init"):
        was, now = getattr(published, name), getattr(chosen, name)
        if was != now:
            shown = [
                ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in (now, was)
            ]
            found.append(f"{name} {shown[0]} instead of {shown[1]}")
    return (*found, *other_recipe(chosen.recipe, published.recipe))


def _figures(chosen: Setting, arms: tuple[Arm, ...], classes: int) -> tuple[Figure, ...]:
    depth, by = chosen.gradient_depth if chosen.has_depths else 0, "net" if chosen.has_depths else "arm"
    title, where = (f", depth {depth}", {"depth": depth}) if depth else ("", {})
    shared = (
        learning_curves(by="net", panel="depth" if chosen.has_depths else "size"),
        gradients_by_layer(by=by, title=title, where=where),
        gradients_by_layer(by=by, title=title, where=where, kind="bias"),
        *mistakes_of(arms[-1]),
    )
    if not chosen.has_depths:
        return shared
    by_depth = Figure(
        name="accuracy-by-depth",
        title="Test accuracy against depth",
        caption="Each dot is one seed; the line is the mean with its 95 % interval. Networks at the "
        "level of chance learned nothing.",
        x="depth",
        y="test accuracy",
        by="net",
        x_scale="category",
        reference=chance_line(classes),
    )
    return (by_depth, *shared)
