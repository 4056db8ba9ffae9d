"""What several studies have in common: parts of claims, tables, figures, and how a run differs from a published one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from gradlab.lab.designing.claims import Kind, Part, Published
from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.statistics import Contrast
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe

MNIST = "sha256:de11801970f8f8ae0b58c4905d56b24b01bffe1feee9845905a565ff0703f4c7"
"""Checksum of the whole of MNIST with 5,000 training images set apart for validation."""
PROTOCOL = ("six paired seeds instead of one run", "weights chosen on validation data, never on test")
"""What every run here corrects in the published protocols."""
ACCURACY, LOSS = "test accuracy", "test loss"
POINT, TWO_POINTS = 0.01, 0.02
"""Smallest differences in accuracy that matter: on large data, and on data with few test images."""
PROBE_STEPS = (0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
"""Where runs are probed over training: about two moments in each power of ten, and the last step."""


def part(
    label: str,
    contrast: Contrast,
    *,
    measure: str = ACCURACY,
    delta: float = POINT,
    kind: Kind = "more",
    better: Literal["neither"] | None = None,
) -> Part:
    """Return one comparison of a claim; by default that a test accuracy is more than a point higher.

    Args:
        better: "neither" where the contrast is a loss, of which more is no better.
    """
    return Part(label=label, measure=measure, contrast=contrast, delta=delta, kind=kind, better=better)


LABS = {
    "000": "emile-kophi/AML_Labs",
    "001": "",
    "002": "bucciadimela2-0/deep_learning_application",
    "003": "fbizza/deep-learning-applications",
    "004": "MiriamFascetta/dla-exam",
}
"""Published lab -> its repository on GitHub; of lab 001 texts alone are known, and no address."""


def published(lab: str, value: str, protocol: str) -> Published:
    """Return what a published lab says, with a link to the lab where its address is known."""
    link = f"https://github.com/{LABS[lab]}" if LABS[lab] else ""
    source = f"lab {lab}" if link else f"lab {lab}, whose texts alone are known"
    return Published(value=value, source=source, protocol=protocol, link=link)


def other_data(setup: Setup, of: str = "mnist") -> tuple[str, ...]:
    """Say how data and number format differ from the labs', in fp32; of MNIST alone the content is known."""
    found = []
    if setup.data != of:
        found.append(f"data {setup.data} instead of {of}")
    elif of == "mnist" and setup.checksum != MNIST:
        found.append("another data set called mnist")
    if setup.precision != "fp32":
        found.append(f"precision {setup.precision} instead of fp32")
    return tuple(found)


def other_recipe(
    now: Recipe, was: Recipe, names: Sequence[str] = ("epochs", "learning_rate", "batch_size")
) -> tuple[str, ...]:
    """Say where a recipe differs from the published one."""
    pairs = [(name, getattr(now, name), getattr(was, name)) for name in names]
    return tuple(
        f"{name.replace('_', ' ')} {_shown(a)} instead of {_shown(b)}" for name, a, b in pairs if a != b
    )


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def chance_line(classes: int) -> tuple[Reference, ...]:
    """Return the line at the accuracy of guessing among so many classes."""
    return (Reference(axis="y", value=1 / classes, label="chance"),)


def accuracy_table(*, arms: tuple[str, ...] = (), title: str = "Accuracy of every arm") -> Table:
    """Return the table that every study begins with."""
    return Table(
        name="accuracy",
        title=title,
        caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test images. "
        "Learned: runs surely above chance.",
        measures=(ACCURACY, "best epoch", "epochs trained"),
        arms=arms,
    )


def scores_table(*, arms: tuple[str, ...] = ()) -> Table:
    """Return the table of the other scores on the test images."""
    return Table(
        name="scores",
        title="More scores on the test images",
        caption="Loss in nats; calibration error: mean gap between confidence and accuracy over 15 bins. Intervals over "
        "seeds alone; a claim about the loss counts the variance of the test images as well.",
        measures=(LOSS, "macro F1", "calibration error"),
        arms=arms,
    )


def gradients_table() -> Table:
    """Return the table of gradients at the start and at the end."""
    return Table(
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
    )


def learning_curves(
    *, by: str, panel: str | None, y: str = "validation_accuracy", where: dict[str, Any] | None = None
) -> Figure:
    """Return the learning curves of the arms."""
    words = {
        "validation_accuracy": "Validation accuracy",
        "validation_loss": "Validation loss",
        "train_loss": "Training loss",
    }
    name = "learning-curves" if y == "validation_accuracy" else y.replace("_", "-")
    return Figure(
        name=name,
        title="Learning curves" if y == "validation_accuracy" else f"{words[y]} while training",
        caption=f"{words[y]} after every epoch: mean over the seeds still training, with a 95 % band.",
        table="epochs",
        x="epoch",
        y=y,
        by=by,
        panel=panel,
        where=where or {},
        y_scale="log" if y.endswith("loss") else "linear",
    )


def gradients_by_layer(*, by: str, title: str, where: dict[str, Any], kind: str = "weight") -> Figure:
    """Return gradient norms by layer, before and after training; `kind` is weight or bias."""
    biases = kind == "bias"
    return Figure(
        name="bias-gradients" if biases else "gradients",
        title=f"Gradient norm{' of biases' if biases else ''} by layer{title}",
        caption=f"{'Bias' if biases else 'Weight'}-gradient norm from the input (left) to the head (right) on one fixed "
        "training batch, before and after training: geometric mean over seeds with a 95 % band. A line that falls to the "
        "left vanishes.",
        table="gradients",
        x="index",
        y="norm",
        by=by,
        panel="time",
        y_scale="log",
        where={**where, "kind": kind},
    )


def mistakes_of(arm: Arm, of: str = "images") -> tuple[Figure, Figure]:
    """Return the confusion matrix of one arm and its most confident errors; `of` says what is classified."""
    return (
        Figure(
            name="confusion",
            title=f"Confusions of {arm.label}",
            caption=f"Test {of} by true (row) and predicted (column) class, summed over the seeds.",
            mark="matrix",
            table="predictions",
            x="prediction",
            y="label",
            where={"arm": arm.name},
        ),
        Figure(
            name="worst-errors",
            title=f"Most confident errors of {arm.label}",
            caption="True → predicted, with the probability that the net gave to its mistake; many are hard for people too.",
            mark="gallery",
            table="errors",
            where={"arm": arm.name},
        ),
    )
