"""Do residual connections let deep MLPs train?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from gradlab.lab.design import Arm, Confusion, Curve, Design, Gallery, Line, Table, Twins
from gradlab.models.mlp import Init
from gradlab.studies._residual_claims import claims_of
from gradlab.studies._residual_settings import SETTINGS, Setting, build_arms, quick
from gradlab.studies.setup import Setup
from gradlab.types import Count, PositiveFloat, UserError

MNIST = "sha256:de11801970f8f8ae0b58c4905d56b24b01bffe1feee9845905a565ff0703f4c7"
"""Checksum of the whole of MNIST with 5,000 training images set apart for validation."""
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
    arms = build_arms(chosen)
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
        claims=claims_of(chosen),
        tables=_tables(),
        figures=_figures(chosen, arms),
        twins=tuple(
            Twins(a=arm.name, b=str(arm.factors["twin"])) for arm in arms if arm.factors["twin"] != "none"
        ),
    )


def _deviations(published: Setting, chosen: Setting, setup: Setup) -> tuple[str, ...]:
    """Name everything in which this run is not the published one."""
    found = list(published.unknown)
    if setup.checksum != MNIST:
        found.append(
            f"data {setup.data} instead of mnist"
            if setup.data != "mnist"
            else "another data set called mnist"
        )
    if setup.precision != "fp32":
        found.append(f"precision {setup.precision} instead of fp32")
    for name in ("depths", "width", "init"):
        was, now = getattr(published, name), getattr(chosen, name)
        if was != now:
            shown = [
                ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in (now, was)
            ]
            found.append(f"{name} {shown[0]} instead of {shown[1]}")
    for name in ("epochs", "learning_rate", "batch_size"):
        was, now = getattr(published.recipe, name), getattr(chosen.recipe, name)
        if was != now:
            found.append(f"{name.replace('_', ' ')} {now} instead of {was}")
    return tuple(found)


def _tables() -> tuple[Table, ...]:
    return (
        Table(
            name="accuracy",
            title="Accuracy of every arm",
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
        Table(
            name="gradients",
            title="Gradients of every arm",
            caption="Powers of ten. Flow: weight-gradient norm of the first layer inside the blocks over that of the last, "
            "on one fixed training batch; 0 is even, negative vanishes on the way to the input. Whether all layers' "
            "gradients grow with depth, the first layer's tells.",
            measures=(
                "gradient flow at the start",
                "gradient flow at the end",
                "first-layer gradient at the start",
            ),
        ),
    )


def _figures(chosen: Setting, arms: tuple[Arm, ...]) -> tuple[Line | Curve | Confusion | Gallery, ...]:
    panel = "depth" if chosen.has_depths else "size"
    deepest = {} if not chosen.has_depths else {"depth": chosen.gradient_depth}
    one_net = "net" if chosen.has_depths else "arm"
    curves = Curve(
        name="learning-curves",
        title="Learning curves",
        caption="Validation accuracy after every epoch: mean over the seeds still training, with a 95 % band.",
        source="epochs",
        x="epoch",
        y="validation_accuracy",
        by="net",
        panel=panel,
    )
    gradients = Curve(
        name="gradients",
        title=f"Gradient norm by layer{f', depth {chosen.gradient_depth}' if chosen.has_depths else ''}",
        caption="Weight-gradient norm from the input (left) to the head (right) on one fixed training batch, before and "
        "after training: geometric mean over seeds with a 95 % band. A line that falls to the left vanishes.",
        source="gradients",
        x="index",
        y="norm",
        by=one_net,
        panel="time",
        y_scale="log",
        where={**deepest, "kind": "weight"},
    )
    biases = replace(
        gradients,
        name="bias-gradients",
        title=gradients.title.replace("norm", "norm of biases"),
        caption=gradients.caption.replace("Weight-gradient", "Bias-gradient"),
        where={**deepest, "kind": "bias"},
    )
    confusion = Confusion(
        name="confusion",
        title=f"Confusions of {arms[-1].label}",
        caption="Test images by true (row) and predicted (column) class, summed over the seeds.",
        arm=arms[-1].name,
    )
    errors = Gallery(
        name="worst-errors",
        title=f"Most confident errors of {arms[-1].label}",
        caption="True → predicted, with the probability that the net gave to its mistake; many are hard for people too.",
        arm=arms[-1].name,
    )
    if not chosen.has_depths:
        return (curves, gradients, biases, confusion, errors)
    depth = Line(
        name="accuracy-by-depth",
        title="Test accuracy against depth",
        caption="Each dot is one seed; the line is the mean with its 95 % interval. Where a plain line falls to the "
        "bottom, those nets learnt nothing.",
        x="depth",
        y="test accuracy",
        by="net",
        x_scale="category",
    )
    return (depth, curves, gradients, biases, confusion, errors)
