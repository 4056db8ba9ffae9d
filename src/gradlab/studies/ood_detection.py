"""Which score notices what a network was not trained on?"""

from __future__ import annotations

from gradlab.detection import AutoEncoder
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.procedures.train_autoencoder import TrainAutoencoder
from gradlab.studies._foreign import IMAGES, foreign, in_distribution, tuning_words
from gradlab.studies._ood_arms import arms_of, autoencoder_recipe, nets_of
from gradlab.studies._ood_claims import claims_of
from gradlab.studies._ood_shown import figures_of, galleries_of, tables_of
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count

BACKGROUND = (
    "A classifier names one of its classes whatever it is shown. A detector says how foreign an image looks, so that it can be "
    "refused instead: from the logits, from the features before the last layer, or from how badly an auto-encoder reproduces "
    "it. All detectors look at the same networks and images; AUROC is the chance that a foreign image scores higher than a "
    "familiar one. What is tuned is tuned on validation images, of foreign sources that are not reported."
)


def ood_detection(
    setup: Setup,
    *,
    epochs: Count | None = None,
    images: Count = IMAGES,
    code: Count = 32,
    model: Network | None = None,
) -> Design:
    """Which score notices what a network was not trained on?

    Args:
        setup: preset and data.
        epochs: of training the networks; the data's own by default.
        images: test images of each set, at most.
        code: numbers to which the auto-encoder reduces an image.
        model: a network of your own instead of trained CNNs; the whole data are then in-distribution.
    """
    inside = in_distribution(setup) if model is None else setup.data
    sets = {name: told for name, told in foreign(setup).items() if not name.startswith(f"{inside}[")}
    nets = {"": model} if model is not None else nets_of(setup, inside, epochs)
    autoencoder = Arm(
        name="auto-encoder",
        label="auto-encoder",
        factors={},
        procedure=TrainAutoencoder(
            data=inside, model=AutoEncoder(code=code), recipe=autoencoder_recipe(setup)
        ),
    )
    first, told_sets = next(iter(nets)), list(sets.values())
    arms = tuple(
        arm
        for told, net in nets.items()
        for arm in arms_of(
            setup, told, net, inside, sets, autoencoder.procedure if told == first else None, images
        )
    )
    nets_arms = tuple(
        Arm(name=f"net {told}", label=told, factors={"net": told}, procedure=net)
        for told, net in nets.items()
        if net.kind == "train"
    )
    return Design(
        study="ood-detection",
        title="Which score notices foreign images?",
        question="Which score notices what a network was not trained on?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"In-distribution: {inside}; foreign: {', '.join(sets.values())}; at most {images:,} images a set; "
        f"auto-encoder with {code} numbers in its code; {tuning_words(setup)}."
        + (" The weaker CNN is trained for one epoch, on images of full size." if len(nets) > 1 else ""),
        deviations=(),
        parameters={
            "epochs": epochs,
            "images": images,
            "code": code,
            "model": None if model is None else model.kind,
        },
        arms=(*nets_arms, autoencoder, *arms),
        claims=claims_of(told_sets, has_two=len(nets) > 1),
        tables=tables_of(nets_arms, autoencoder, arms),
        figures=(*figures_of(first, told_sets), *galleries_of(first, told_sets[0])),
    )
