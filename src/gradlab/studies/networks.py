"""How accurate are the networks that other studies attack and judge, and after which epoch?"""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.procedures.snapshot import Snapshot
from gradlab.procedures.train import Train
from gradlab.statistics import difference
from gradlab.studies._nets import shared_net
from gradlab.studies._shared import (
    ACCURACY,
    TWO_POINTS,
    accuracy_table,
    chance_line,
    learning_curves,
    mistakes_of,
    part,
    scores_table,
)
from gradlab.studies.setup import Setup

BACKGROUND = (
    "Several studies attack, judge and explain one trained network, or compare a better one with a worse one. These networks "
    "are defined once and trained here, so that no other study trains them again. Both trainings follow one recipe; one is "
    "longer. Of the long one the weights after some epochs are kept as well. Where the recipe names smaller images for its first "
    "epochs, weights that are kept early, and a short training, have seen few images of full size or none, and all are tested "
    "at full size: what they lose is then in part the size's."
)
FIGURE = "accuracy-by-epoch"
RATE = (
    "A high rate finds its way fast, but every step overshoots; as the rate falls, the network settles. A short training whose "
    "rate falls to zero is therefore better than a long one stopped after as many epochs."
)
LENGTH = (
    "Every further pass over the images improves what the earlier ones have found, each by less. A study that compares a better "
    "network with a worse one needs two that differ in nothing but this, the size of their training images included."
)


def networks(setup: Setup) -> Design:
    """How accurate are the networks that other studies attack and judge, and after which epoch?

    Args:
        setup: preset and data.
    """
    long, short = (shared_net(setup, setup.data, length) for length in ("long", "short"))
    arms = _arms(long, short)
    return Design(
        study="networks",
        title="The networks that other studies share",
        question="How accurate are the networks that other studies attack and judge, and after which epoch?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"Long: {long.recipe.describe()}. Short: {_epochs(short.recipe.epochs)} of the same recipe.",
        deviations=(),
        parameters={"long": long.recipe.epochs, "short": short.recipe.epochs},
        arms=arms,
        claims=_claims(long, short),
        tables=(accuracy_table(arms=("long", "short")), scores_table()),
        figures=_figures(setup.class_count, arms),
    )


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _arms(long: Train, short: Train) -> tuple[Arm, ...]:
    whole = [
        Arm(
            name=name,
            label=f"{name} training, {_epochs(one.recipe.epochs)}",
            factors={"training": name, "epoch": one.recipe.epochs},
            procedure=one,
        )
        for name, one in (("long", long), ("short", short))
    ]
    kept = [
        Arm(
            name=f"long-{epoch}",
            label=f"long training after {_epochs(epoch)}",
            factors={"training": "long", "epoch": epoch},
            procedure=Snapshot(net=long, data=long.data, epoch=epoch),
        )
        for epoch in long.recipe.snapshots
    ]
    return (*whole, *kept)


def _claims(long: Train, short: Train) -> tuple[Claim, ...]:
    brief, whole = short.recipe.epochs, long.recipe.epochs
    longer = Claim(
        id="networks-longer",
        statement=f"{_epochs(whole)} instead of {brief} improve the accuracy by over two points",
        parts=(part("long - short", difference("long", "short"), delta=TWO_POINTS),),
        says={
            "supported": f"After {_epochs(whole)} the network gets {{long}} of the test images right; a training of "
            f"{_epochs(brief)} reaches {{short}}.",
            "refuted": f"After {_epochs(whole)} the network gets {{long}} of the test images right, and a training of "
            f"{_epochs(brief)} as good as that: {{short}}.",
            "open": f"After {_epochs(whole)} the network gets {{long}} of the test images right, and a training of "
            f"{_epochs(brief)} {{short}}; whether that is two points less is open.",
        },
        means=LENGTH,
        figure=FIGURE,
    )
    if brief not in long.recipe.snapshots or long.recipe.schedule is None:  # at one rate the two are the same
        return (longer,)
    stopped = Claim(
        id="networks-rate",
        statement=f"A training of {_epochs(brief)}, in which the rate falls to zero, is over two points better than a longer one "
        "stopped there",
        parts=(part("short - stopped", difference("short", f"long-{brief}"), delta=TWO_POINTS),),
        says={
            "supported": f"The long training stopped after {_epochs(brief)}, at a high rate, has only {{long-{brief}}}.",
            "refuted": f"The long training stopped after {_epochs(brief)} is as good: {{long-{brief}}}.",
            "open": f"The long training stopped after {_epochs(brief)} has {{long-{brief}}}; whether that is two points less "
            "than the short one is open.",
        },
        means=RATE,
        figure=FIGURE,
    )
    return (longer, stopped)


def _figures(classes: int, arms: tuple[Arm, ...]) -> tuple[Figure, ...]:
    return (
        Figure(
            name=FIGURE,
            title="Test accuracy after an epoch",
            caption="Each dot is one seed; the line is the mean with its 95 % interval.",
            x="epoch",
            y=ACCURACY,
            by="training",
            x_scale="log",
            reference=chance_line(classes),
        ),
        learning_curves(by="arm", panel="training"),
        *mistakes_of(arms[0]),
    )
