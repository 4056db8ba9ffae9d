"""What is claimed about maps under attack, each as comparisons that were fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference, difference_of_differences
from gradlab.studies._shared import part, published

OVERLAP, GROWTH = "overlap of the maps", "growth of the area"
MATTERS = 0.05
"""Of the overlap, one pixel in twenty of what either map marks, and of the area: less is not seen in a picture."""
MOVES = (
    "A map moves whenever the image changes. Only what an attack does beyond noise of the same size can be the attack's own "
    "doing: the noise changes every number of the image as much, in a direction that is drawn."
)
CLASS = (
    "Under an attack that fools, another class is predicted, and its map is another question to the network. The map of the "
    "class before says whether the evidence for that class itself lies elsewhere. Where no evidence for it is left, Grad-CAM "
    "is empty: such pairs of maps are counted, and left out of the means."
)
FAILS = "{attack not fooled}, noise {noise not fooled}"
EMPTY = (
    "where it is not empty under the attack, as it is in {attack before: empty maps} of the images (noise: "
    "{noise before: empty maps})"
)
SCATTERS = (
    "A mean growth of nothing can be a mean of opposites. So the shares of the maps whose marked area grows, and shrinks, by "
    "more than a twentieth of the image are told beside it."
)
BOTH = (
    "in {attack: maps that grow} of the maps it grows and in {attack: maps that shrink} it shrinks by over 5 points (noise: "
    "{noise: maps that grow} and {noise: maps that shrink})"
)
LAB_002 = published(
    "002",
    "attention scatters under attack",
    "ten pictures looked at; the attack clips the normalised image to [0, 1], which alone destroys the picture",
)
DIFFERS = (
    "PGD away from the predicted class instead of targeted FGSM",
    "another CNN",
    "all images and a measure instead of ten pictures",
)


def claims_of(*, is_known: bool) -> tuple[Claim, ...]:
    """Return the claims; all are about images, not about one picture.

    Args:
        is_known: whether network and data are near enough to the lab's for its claim to stand beside ours at all.
    """
    return (_more_than_noise(), _more_than_reversed(), _more_when_fooled(), _own_class(), _scatters(is_known))


def _more_than_noise() -> Claim:
    return Claim(
        id="attention-noise",
        statement="Where an attack fools the network, the map of what it predicts moves more than under noise of the same size",
        parts=(part("noise - attack", difference("noise", "attack"), measure=OVERLAP, delta=MATTERS),),
        says={
            "supported": "Yes: where it is fooled, the maps of what it predicts overlap by {attack}, and by {noise} under "
            "noise of the same size.",
            "refuted": "No more than under noise of the same size: the maps overlap by {attack}, and by {noise} under noise.",
            "open": "Where it is fooled, the maps overlap by {attack}, and by {noise} under noise of the same size; whether the "
            "difference matters is open.",
        },
        means=MOVES,
        figure="overlap",
    )


def _more_than_reversed() -> Claim:
    return Claim(
        id="attention-reversed",
        statement="The map moves more than under the reverse attack, which is as large and does not fool",
        parts=(part("reversed - attack", difference("reversed", "attack"), measure=OVERLAP, delta=MATTERS),),
        says={
            "supported": "An attack that fools moves it more than the reverse attack ({reversed}).",
            "open": "Whether it moves more than under the reverse attack ({reversed}) is open.",
            "refuted": "The reverse attack, which does not fool, moves it as much ({reversed}).",
        },
        means=MOVES,
        figure="overlap",
    )


def _more_when_fooled() -> Claim:
    return Claim(
        id="attention-fooled",
        statement="Beyond what noise of the same size does, the attack moves maps more where it fools the network than where it "
        "fails",
        parts=(
            part(
                "(noise - attack) fooled - (noise - attack) not fooled",
                difference_of_differences("noise", "attack", "noise not fooled", "attack not fooled"),
                measure=OVERLAP,
                delta=MATTERS,
            ),
        ),
        says={
            "open": f"Whether maps move less where the same attack fails, beyond what noise does, is open ({FAILS}).",
            "supported": f"Where the same attack fails, maps move less, beyond what noise does ({FAILS}).",
            "refuted": f"Where the same attack fails, maps move no less, beyond what noise does ({FAILS}).",
        },
        means=MOVES,
        figure="overlap",
    )


def _own_class() -> Claim:
    return Claim(
        id="attention-class",
        statement="The map of the class that it predicted before moves more under the attack than under noise as well",
        parts=(
            part(
                "noise - attack", difference("noise before", "attack before"), measure=OVERLAP, delta=MATTERS
            ),
        ),
        says={
            "open": "Whether the map of the class before moves more as well ({attack before}, noise {noise before}) is open.",
            "supported": f"The map of the class before moves more as well ({{attack before}}, noise {{noise before}}), {EMPTY}.",
            "refuted": f"The map of the class before moves no more than under noise ({{attack before}}, noise {{noise before}}), "
            f"{EMPTY}.",
        },
        means=CLASS,
        figure="overlap",
    )


def _scatters(is_known: bool) -> Claim:
    return Claim(
        id="attention-scatters",
        statement="Attention scatters: on average, the area that the map marks grows more under the attack than under noise of "
        "the same size",
        parts=(part("attack - noise", difference("attack", "noise"), measure=GROWTH, delta=MATTERS),),
        says={
            "supported": f"It scatters: the marked area grows by {{attack}} of the image on average, {BOTH}.",
            "refuted": f"It does not scatter as a rule: the marked area changes by {{attack}} of the image on average, {BOTH}.",
            "open": f"Whether it scatters is open: the marked area changes by {{attack}} of the image on average, {BOTH}.",
        },
        published=LAB_002 if is_known else None,
        deviations=DIFFERS if is_known else None,
        means=SCATTERS,
        figure="growth",
    )
