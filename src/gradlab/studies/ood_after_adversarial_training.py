"""Does adversarial training help a network to notice foreign images, or harm it?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.detection import KNN, Energy, Mahalanobis, MaxLogit, MaxSoftmax, names_of
from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.shown import Figure, Reference
from gradlab.procedures.score import Score
from gradlab.procedures.train import Train
from gradlab.studies._adversarial_arms import Plan, level, nets_of, plan_of
from gradlab.studies._foreign import IMAGES, foreign
from gradlab.studies._ood_adversarial_claims import claims_of
from gradlab.studies._ood_adversarial_shown import tables_of_changes
from gradlab.studies._ood_adversarial_why import ACCURACY, AUROC
from gradlab.studies._ood_shown import detection_table
from gradlab.studies._shared import PROTOCOL, accuracy_table
from gradlab.studies.setup import Setup
from gradlab.types import Count, PixelEps, UserError

QUESTION = "Does adversarial training help a network to notice foreign images, or harm it?"
BACKGROUND = (
    "Four labs trained networks on attacked images and looked at the detection of foreign ones: in one it became worse, in three "
    "better. They differ in score, in foreign images and in the accuracy that the training cost, each has one run, and none has "
    "an interval. Labs 001 and 002 both show noise and see opposite signs; in labs 003 and 004, which show classes of CIFAR-100, "
    "the network trained on attacks also classifies more of its own images correctly than the other. Here the networks of the "
    "study adversarial-training, with equal starts and the same images in the same order, are judged by the same scores on the "
    "same foreign images. One more network was trained without attacks, for fewer epochs: what it loses beside the undefended "
    "one is not due to attacks. These networks are small, trained briefly, and pay for robustness with accuracy, which the first "
    "table shows. Where a network hardly knows its own classes its scores mean little: the answers hold for networks as accurate "
    "as these, and what accurate robust networks notice stays open."
)
DETECTORS = (MaxSoftmax(), MaxLogit(), Energy(), KNN(k=10), Mahalanobis())
SHARE = 2
"""The less accurate network is trained for this part of the epochs, rounded down, at least one."""


def ood_after_adversarial_training(
    setup: Setup, *, eps: PixelEps | None = None, epochs: Count | None = None, images: Count = IMAGES
) -> Design:
    """Does adversarial training help a network to notice foreign images, or harm it?

    Args:
        setup: preset and data.
        eps: radius of training, such as 8/255; 32/255 of grey images by default. A quarter of it is tried as well.
        epochs: of every training; the preset's own by default.
        images: test images of each set, at most.
    """
    plan = plan_of(setup, eps, None, None)
    if not plan.eps:
        raise UserError("ood-after-adversarial-training needs a radius above 0, such as eps=8/255, got 0.")
    nets, sets = _nets(setup, plan, epochs), _sets(setup, plan)
    trained = tuple(
        Arm(name=f"net {name}", label=label, factors={"training": label, "detector": "none"}, procedure=train)
        for name, (label, train) in nets.items()
    )
    scored = tuple(
        arm
        for name, (label, train) in nets.items()
        for arm in _scored(name, label, train, plan, sets, images)
    )
    deviations = (
        f"data {plan.data} instead of cifar10, radii {level(plan.near)}/255 and {level(plan.eps)}/255 of pixels in [0, 1]",
        "nets and recipes of our own",
    )
    return Design(
        study="ood-after-adversarial-training",
        title="Foreign images after adversarial training",
        question=QUESTION,
        background=BACKGROUND,
        setting="001, 002, 003 and 004",
        setting_text=f"{plan.data}, {nets['plain'][1].recipe.describe()}; eps {level(plan.eps)}/255; foreign: "
        f"{', '.join(sets.values())}; at most {images:,} images a set.",
        corrections=(*PROTOCOL, "several scores and foreign sets instead of one", "images clipped to [0, 1], eps in pixels"),
        deviations=deviations,
        parameters={"eps": plan.eps, "epochs": nets["plain"][1].recipe.epochs, "images": images},
        arms=(*trained, *scored),
        claims=claims_of(list(sets.values()), tuple(nets)),
        tables=(
            accuracy_table(arms=tuple(arm.name for arm in trained), title="The networks"),
            *tables_of_changes(scored, next(iter(sets.values()))),
            detection_table(scored),
        ),
        figures=_figures(next(iter(sets.values()))),
    )  # fmt: skip


def _nets(setup: Setup, plan: Plan, epochs: int | None) -> dict[str, tuple[str, Train]]:
    """Return the networks of the study adversarial-training, and one that is less accurate without an attack."""
    nets = nets_of(setup, plan, epochs)
    plain = nets["plain"][1]
    brief = replace(plain, recipe=replace(plain.recipe, epochs=max(1, plain.recipe.epochs // SHARE)))
    return {**nets, "brief": ("no defence, fewer epochs", brief)}


def _sets(setup: Setup, plan: Plan) -> dict[str, str]:
    """Return name -> how it is called, of foreign images at the size of what is learned; all of its classes are familiar."""
    side = 16 if "@16" in plan.data else setup.image_size
    found = foreign(replace(setup, image_size=side))
    return {name: told for name, told in found.items() if not name.startswith(f"{setup.data}[")}


def _scored(name: str, label: str, train: Train, plan: Plan, sets: dict[str, str], images: int) -> list[Arm]:
    """Return an arm for every detector and set; one record a seed holds them all."""
    score = Score(net=train, data=plan.data, out=tuple(sets), detectors=DETECTORS, images=images)
    return [
        Arm(
            name=f"{name} {detector} {told}",
            label=f"{label}, {detector.replace('-', ' ')}, {told}",
            factors={"training": label, "detector": detector.replace("-", " "), "set": told},
            procedure=score,
            at={"detector": detector, "set": place},
        )
        for detector in names_of(DETECTORS)
        for place, told in sets.items()
    ]


def _figures(near: str) -> tuple[Figure, ...]:
    guessing = (Reference(axis="y", value=0.5, label="guessing"),)
    return (
        Figure(
            name="auroc",
            title="Detection of foreign images after each training",
            caption="Mean over the seeds with a 95 % interval; each dot is one seed.",
            mark="bars",
            x="detector",
            y=AUROC,
            by="training",
            panel="set",
            where={"detector": [name.replace("-", " ") for name in names_of(DETECTORS)]},
            reference=guessing,
        ),
        Figure(
            name="accuracy",
            title="Detection and accuracy",
            caption=f"AUROC of the maximum softmax on {near} against the accuracy of the same network on familiar images; "
            "each dot is one seed.",
            mark="points",
            x=ACCURACY,
            y=AUROC,
            by="training",
            where={"detector": "max softmax", "set": near},
            reference=guessing,
        ),
    )
