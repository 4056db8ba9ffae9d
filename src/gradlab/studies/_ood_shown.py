"""Tables and figures of the studies of detection."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.studies._shared import accuracy_table

CAPTION = (
    "AUROC: chance that a foreign image scores higher than a familiar one; 50 % is guessing. Its interval includes the variance "
    "of seeds, of familiar and of foreign images. FPR at 95 % TPR: share of foreign images accepted where 95 % of the familiar "
    "ones are; foreign as positive: share of familiar images rejected where 95 % of the foreign ones are found. Intervals of "
    "all but the AUROC are of the seeds alone."
)


def detection_table(arms: tuple[Arm, ...]) -> Table:
    """Return the table of every detector on every set."""
    return Table(
        name="detection",
        title="Detection of foreign images",
        caption=CAPTION,
        measures=(
            "AUROC",
            "FPR at 95 % TPR",
            "FPR at 95 % TPR, foreign as positive",
            "AUPR, foreign as positive, balanced",
            "detection error",
        ),
        arms=tuple(arm.name for arm in arms),
    )


def tables_of(nets: tuple[Arm, ...], autoencoder: Arm, arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    """Return the table of the networks, where they were trained, of the auto-encoder, and of the detectors."""
    trained = (accuracy_table(arms=tuple(arm.name for arm in nets), title="The networks"),) if nets else ()
    reproduced = Table(
        name="autoencoder",
        title="Reconstruction of held-out images",
        caption="Of all test images: squared error of a pixel in [0, 1], and the peak signal-to-noise ratio in decibels that "
        "goes with it.",
        measures=("PSNR", "squared error"),
        arms=(autoencoder.name,),
    )
    return (*trained, reproduced, detection_table(arms))


def heat(where: dict[str, str] | None = None) -> Figure:
    """Return the heat map of every detector on every set."""
    return Figure(
        name="auroc",
        title="AUROC of every score on every set",
        caption="Mean over the seeds; 50 % is guessing.",
        mark="heat",
        x="set",
        y="detector",
        value="AUROC",
        where=where or {},
    )


def figures_of(net: str, sets: list[str]) -> tuple[Figure, ...]:
    """Return the figures of one network, by its name, on sets of foreign images, the nearest first."""
    own = {"net": net} if net else {}
    few = {**own, "detector": "max softmax"}
    return (
        heat(own),
        Figure(
            name="roc",
            title="ROC curves of the maximum softmax",
            caption="Share of familiar images that are accepted against the share of foreign ones that slip through with them: "
            "mean over the seeds with a 95 % band. The diagonal is guessing.",
            table="roc",
            x="fpr",
            y="tpr",
            by="set",
            where=few,
            reference=(Reference(axis="diagonal", label="guessing"),),
        ),
        Figure(
            name="precision-recall",
            title="Precision and recall both ways",
            caption="Of the maximum softmax, as if both sets were equally large: of finding familiar images, and of finding "
            "foreign ones.",
            table="precision-recall",
            x="recall",
            y="precision",
            by="set",
            panel="positive",
            where=few,
        ),
        Figure(
            name="scores",
            title="How foreign images look to the network",
            caption="Free energy of familiar and foreign images, all seeds together; larger is more foreign.",
            mark="histogram",
            table="scores",
            x="score",
            by="set",
            where={**own, "detector": "energy"},
        ),
        Figure(
            name="sorted",
            title="Sorted scores",
            caption=f"Free energy of familiar images and of {sets[0]}, in ascending order: mean over the seeds with a 95 % band.",
            table="sorted",
            x="share",
            y="score",
            panel="images",
            where={"arm": f"energy {sets[0]}"},
        ),
        Figure(
            name="reliability",
            title="Reliability of the confidence",
            caption="Accuracy of familiar images over the confidence of the network, in 15 bins; on the diagonal both agree.",
            table="reliability",
            x="confidence",
            y="accuracy",
            where={"arm": f"max-softmax {sets[0]}"},
            reference=(Reference(axis="diagonal", label="calibrated"),),
        ),
    )


SHOWN = {
    "max-softmax": "the maximum softmax",
    "knn, tuned": "the distance to training images",
}
"""Detectors whose most confident mistakes are shown, and what they are called."""


def galleries_of(net: str, near: str) -> tuple[Figure, ...]:
    """Return the most confident mistakes of some detectors of a network, and reconstructions.

    Args:
        net: what the network is called. near: what the near set is called.
    """
    own = {"net": net} if net else {}
    found: list[Figure] = []
    for name, told in SHOWN.items():
        found += _mistakes(name, told, own, near)
    how = "Each image beside its reconstruction"
    return (
        *found,
        Figure(
            name="reproduced",
            title="What the auto-encoder makes of familiar images",
            caption=f"{how}: the first test images, by the auto-encoder of the first seed, with their PSNR.",
            mark="gallery",
            table="reproduced",
            where={"arm": f"reconstruction {near}"},
        ),
        Figure(
            name="reproduced-foreign",
            title="What the auto-encoder makes of foreign images",
            caption=f"{how}: the first images of each set, by the auto-encoder of the first seed, with their PSNR.",
            mark="gallery",
            table="reproduced foreign",
            by="set",
            where={**own, "detector": "reconstruction"},
        ),
    )


def _mistakes(name: str, told: str, own: dict[str, str], near: str) -> tuple[Figure, Figure]:
    """Return the foreign images that look the most familiar, and the familiar ones that look the most foreign."""
    slug = name.replace(", ", "-")
    return (
        Figure(
            name=f"accepted-{slug}",
            title=f"Foreign images that look the most familiar by {told}",
            caption="Of each set those with the lowest scores of the first seed; below, its class → the network's.",
            mark="gallery",
            table="accepted",
            by="set",
            where={**own, "detector": name.replace("-", " ")},
        ),
        Figure(
            name=f"refused-{slug}",
            title=f"Familiar images that look the most foreign by {told}",
            caption="Those with the highest scores of the first seed; below, its class → the network's.",
            mark="gallery",
            table="refused",
            where={"arm": f"{name} {near}"},
        ),
    )
