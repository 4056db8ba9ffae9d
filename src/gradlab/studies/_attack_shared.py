"""What the studies of attacks share: the network, radii, images, arms, tables and figures."""

from __future__ import annotations

from typing import Any

from gradlab.attacks.choose_targets import Targets
from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.attack import Attack
from gradlab.studies._nets import shared_net
from gradlab.studies.setup import Setup

ROBUST, SUCCESS, DROP, ITERATIONS = (
    "robust accuracy",
    "attack success",
    "confidence drop",
    "iterations to success",
)
CURVE = "accuracy-by-eps"


def net_of(setup: Setup, model: Procedure | None) -> Procedure:
    """Return the network that is attacked: a person's own, or the one that other studies judge as well."""
    return shared_net(setup, setup.data) if model is None else model


def image_count(setup: Setup, asked: int | None, standard: int = 500) -> int | None:
    """Return how many test images are attacked: of small data all but in the preset quick; of larger data 500.

    Args:
        standard: how many of larger data in that preset.
    """
    if asked is not None:
        return asked
    if setup.preset == "quick":
        return 150
    return None if setup.is_small else standard if setup.preset == "standard" else 500


def radii_of(setup: Setup) -> tuple[float, ...]:
    """Return radii at which accuracy falls: larger ones for small grey images with strong contrast."""
    levels = (4, 8, 16, 32) if setup.channels == 1 else (0.5, 1, 2, 4)
    return tuple(level / 255 for level in levels)


def in_levels(eps: float) -> str:
    """Say a radius as a fraction of the pixel range."""
    return f"{eps * 255:.3g}/255"


def attack_arm(
    name: str,
    label: str,
    net: Procedure,
    data: str,
    by: Any,
    eps: tuple[float, ...],
    at: float,
    images: int | None,
    targets: Targets | None = None,
) -> Arm:
    """Return one attack at one of its radii."""
    return Arm(
        name=f"{name}-{at * 255:.3g}",
        label=f"{label}, eps {in_levels(at)}",
        factors={"attack": label, "eps": at},
        procedure=Attack(net=net, data=data, by=by, eps=eps, images=images, targets=targets),
        at={"eps": at},
    )


def cost_table(arms: tuple[str, ...] = ()) -> Table:
    """Return what successes cost, and how visible they are."""
    return Table(
        name="cost",
        title="What a success costs, and how visible it is",
        caption="Means over the successes: iterations and passes of the network until the first one, the length of the change, "
        "and the structural similarity to the image as given (1: the same). A dash: no success. Confidence drop: fall of the "
        "true class's probability over the images that were classified correctly.",
        measures=(ITERATIONS, "queries to success", DROP, "L2 change", "pixels changed", "SSIM"),
        arms=arms,
    )


def accuracy_table(arms: tuple[str, ...] = ()) -> Table:
    """Return accuracy and success of every attack."""
    return Table(
        name="attacks",
        title="Accuracy and success of every attack",
        caption="Robust accuracy: share of all attacked images that are classified correctly before and after. Success: share of "
        "the images classified correctly before that are not any more, or are the target. Intervals include the variance of "
        "seeds and of images.",
        measures=(ROBUST, SUCCESS),
        arms=arms,
    )


def curve(y: str, name: str = CURVE, title: str = "Accuracy under attack against the radius") -> Figure:
    """Return a measure against the radius, one line an attack."""
    return Figure(
        name=name,
        title=title,
        caption="Each dot is one seed; the line is the mean with its 95 % interval.",
        x="eps",
        y=y,
        by="attack",
    )


def pictures(arm: Arm) -> tuple[Figure, Figure]:
    """Return images before and after with their difference, and which classes became which."""
    return (
        Figure(
            name=f"gallery-{arm.name}",
            title=f"Fooled by {arm.label}",
            caption="The image as given, under attack, and their difference, stretched so that its largest value is black or "
            "white. Below: true class → the network's own prediction under attack, with its probability.",
            mark="gallery",
            table="examples",
            where={"arm": arm.name},
            count=8,
        ),
        Figure(
            name=f"became-{arm.name}",
            title=f"What images became under {arm.label}",
            caption="Successes by true class (row) and class under attack (column), summed over the seeds.",
            mark="matrix",
            table="fooled",
            x="prediction",
            y="label",
            where={"arm": arm.name},
        ),
    )
