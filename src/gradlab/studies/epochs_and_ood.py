"""Does a network notice foreign images better the longer it is trained?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.detection import KNN, Energy, MaxLogit, MaxSoftmax, names_of
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.procedures.score import Score
from gradlab.procedures.snapshot import Snapshot
from gradlab.procedures.train import Train
from gradlab.studies._epochs_claims import AUROC, FIGURE, claims_of
from gradlab.studies._foreign import IMAGES, foreign, in_distribution
from gradlab.studies._nets import at_full_size, shared_net
from gradlab.studies._ood_shown import detection_table
from gradlab.studies._shared import ACCURACY as TEST_ACCURACY
from gradlab.studies._shared import chance_line
from gradlab.studies.setup import Setup
from gradlab.types import Count

DETECTORS = (MaxSoftmax(), MaxLogit(), Energy(), KNN(k=10))
FIT_IMAGES = 10_000
"""Training images to which a foreign one is compared, at most."""
LARGE, LARGE_EPOCHS = 25_000, 6
"""Of large colour images: images and epochs of the training, as many as six seeds learn in half an hour on two cores."""
BACKGROUND = (
    "Two labs trained for different numbers of epochs and found different detection, each time in networks that were trained "
    "anew. Here the epochs belong to one training: its weights after some of them were kept, and every detector sees the same "
    "images through each. All epochs train on images of the size that is judged. Where the rate of the training falls, the "
    "earlier weights are those of a high rate."
)


def epochs_and_ood(setup: Setup, *, images: Count = IMAGES) -> Design:
    """Does a network notice foreign images better the longer it is trained?

    Args:
        setup: preset and data.
        images: test images of each set, at most.
    """
    inside = in_distribution(setup)
    net, sets = _training(setup, inside), foreign(setup)
    nets: dict[int, Procedure] = {
        epoch: Snapshot(net=net, data=inside, epoch=epoch) for epoch in net.recipe.snapshots
    }
    nets[net.recipe.epochs] = net
    trained = tuple(
        Arm(
            name=f"net {epoch}",
            label=f"epoch {epoch}",
            factors={"network": "CNN", "epoch": epoch},
            procedure=one,
        )
        for epoch, one in nets.items()
    )
    scored = tuple(arm for epoch, one in nets.items() for arm in _scored(epoch, one, inside, sets, images))
    return Design(
        study="epochs-and-ood",
        title="Epochs and foreign images",
        question="Does a network notice foreign images better the longer it is trained?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"In-distribution: {inside}, {net.recipe.describe()}; weights after epochs "
        f"{', '.join(map(str, nets))}; foreign: {', '.join(sets.values())}; at most {images:,} images a set.",
        deviations=(),
        parameters={"images": images},
        arms=(*trained, *scored),
        claims=claims_of(list(nets), next(iter(sets.values()))),
        tables=(
            Table(
                name="accuracy",
                title="The network after its epochs",
                caption="Share of the test images classified correctly, mean over seeds with a 95 % interval.",
                measures=(TEST_ACCURACY,),
                arms=tuple(arm.name for arm in trained),
            ),
            detection_table(scored),
        ),
        figures=_figures(setup.class_count),
    )


def _training(setup: Setup, inside: str) -> Train:
    """Return the training whose epochs are judged: that which studies share where it sees one size of images alone."""
    shared = shared_net(setup, inside)
    if not shared.recipe.sizes:
        return shared
    one_size = at_full_size(shared)
    return replace(one_size, recipe=replace(one_size.recipe, epochs=LARGE_EPOCHS), train_images=LARGE)


def _scored(epoch: int, net: Procedure, inside: str, sets: dict[str, str], images: int) -> list[Arm]:
    """Return an arm for every detector and set; one record a seed holds them all."""
    score = Score(
        net=net, data=inside, out=tuple(sets), detectors=DETECTORS, images=images, fit_images=FIT_IMAGES
    )
    return [
        Arm(
            name=f"{detector} {told} {epoch}",
            label=f"{detector.replace('-', ' ')}, {told}, epoch {epoch}",
            factors={"detector": detector.replace("-", " "), "set": told, "epoch": epoch},
            procedure=score,
            at={"detector": detector, "set": place},
        )
        for detector in names_of(DETECTORS)
        for place, told in sets.items()
    ]


def _figures(classes: int) -> tuple[Figure, ...]:
    return (
        Figure(
            name=FIGURE,
            title="AUROC after each epoch",
            caption="Each dot is one seed; the line is the mean with its 95 % interval.",
            x="epoch",
            y=AUROC,
            by="detector",
            panel="set",
            x_scale="log",
            reference=(Reference(axis="y", value=0.5, label="guessing"),),
        ),
        Figure(
            name="accuracy-by-epoch",
            title="Accuracy on familiar images after each epoch",
            caption="Each dot is one seed; the line is the mean with its 95 % interval.",
            x="epoch",
            y=TEST_ACCURACY,
            by="network",
            x_scale="log",
            reference=chance_line(classes),
        ),
    )
