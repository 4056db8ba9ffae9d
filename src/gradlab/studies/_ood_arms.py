"""The networks, detectors and arms of the study of detection."""

from __future__ import annotations

from dataclasses import replace

from gradlab.detection import (
    GEN,
    KNN,
    Energy,
    Entropy,
    GradNorm,
    Mahalanobis,
    Margin,
    MaxLogit,
    MaxSoftmax,
    ReAct,
    Reconstruction,
    RelativeMahalanobis,
    Tuned,
    ViM,
    names_of,
)
from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Procedure
from gradlab.procedures.score import Score
from gradlab.studies._foreign import tuned_on
from gradlab.studies._nets import at_full_size, shared_net
from gradlab.studies._ood_shown import SHOWN
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe

LOGITS = (MaxSoftmax(), MaxLogit(), Energy(), Entropy(), Margin(), GEN())
FEATURES = (
    GradNorm(),
    Mahalanobis(),
    RelativeMahalanobis(),
    Tuned(among=tuple(KNN(k=k) for k in (1, 10, 50))),
    ViM(),
    ReAct(),
)


def nets_of(setup: Setup, inside: str, epochs: int | None) -> dict[str, Procedure]:
    """Return the network that other studies judge as well, and one that is trained for one epoch, on images of full size."""
    weaker = at_full_size(shared_net(setup, inside, "short"))
    return {
        "CNN": shared_net(setup, inside, epochs=epochs),
        "weaker CNN": replace(weaker, recipe=replace(weaker.recipe, epochs=1)),
    }


def autoencoder_recipe(setup: Setup) -> Recipe:
    """Return how the auto-encoder is trained."""
    epochs = 20 if setup.is_small else 3
    return Recipe(learning_rate=3e-3, batch_size=32 if setup.is_small else 128, epochs=epochs)


def arms_of(
    setup: Setup,
    told: str,
    net: Procedure,
    inside: str,
    sets: dict[str, str],
    autoencoder: Procedure | None,
    images: int,
) -> list[Arm]:
    """Return an arm for every detector and set; one record a seed holds them all.

    Args:
        told: what the network is called; a weaker one begins so. sets: name -> how it is called.
    """
    detectors = (*LOGITS, *FEATURES, *((Reconstruction(),) if autoencoder else ()))
    procedure = Score(
        net=net,
        data=inside,
        out=tuple(sets),
        detectors=detectors,
        autoencoder=autoencoder,
        tune_on=tuned_on(setup),
        images=images,
        fit_images=10 * images,
        shown=tuple(SHOWN) if autoencoder else (),
    )
    prefix = "weak " if told.startswith("weak") else ""
    return [
        Arm(
            name=f"{prefix}{name} {foreign_set}",
            label=f"{told + ', ' if told else ''}{name.replace('-', ' ')}, {foreign_set}",
            factors={"net": told or "given", "detector": name.replace("-", " "), "set": foreign_set},
            procedure=procedure,
            at={"detector": name, "set": place},
        )
        for name in names_of(detectors)
        for place, foreign_set in sets.items()
    ]
