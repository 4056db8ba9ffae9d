"""What is claimed about maps of a CNN, each as comparisons that were fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import Contrast, against, difference
from gradlab.studies._shared import POINT, part, published

GAP, POINTING, SIMILARITY = "insertion minus deletion", "pointing", "similarity with random weights"
OWN_CELL = "share in its own cell"
CHANGES = "different when all weights are randomised"
"""Surely less similar than a rank correlation of 0.5 to the maps of random weights."""
HALF = 0.5
"""Of the images: what is learned must be most of what is pointed at."""
MATTERS = 0.05
"""Of the mean probability over the curves: a twentieth of the way between none and all, which a person sees in a plot."""
JUDGED = {
    "grad-cam": "Grad-CAM",
    "saliency": "Saliency",
    "integrated-gradients": "Integrated gradients",
    "eigen-cam": "Eigen-CAM",
}
"""A method of each family: by gradients at a layer, at the pixels, along a path, and by no gradient at all."""
POINTS = (
    "Where the class is a patch that was planted, it is known where the network must look. Whether a map's largest value lies "
    "there is a test that no map passes by looking plausible. Edges are no rival in it: the patch has less contrast than the "
    "digit by construction, so that the largest edge never lies on it; random maps and an untrained network are."
)
CELLS = (
    "In photographs nobody knows what the network uses. In a mosaic of four images of different classes it is known which "
    "image the class belongs to: a map that lights the object lies on that one. A map that knows nothing has a quarter of "
    "itself there. Mosaics are made of images that the network classifies correctly, fifty of them at most."
)
BELIEVED = (
    "A map is faithful if what it calls important is what the network uses. It must beat maps that know nothing of the network, "
    "random ones and the edges of the image, and it must change when all weights are randomised: a map that stays the same is "
    "about the image alone. Pixels that are 0 with any weights, such as black ones where a method multiplies by the image, say "
    "nothing about that and are left out, and so are empty maps."
)
DIFFERS = ("mosaics of four images and a measure instead of six pictures", "another CNN")
LABS = published(
    "003",
    "Grad-CAM and CAM highlight the object",
    "six pictures chosen by a seed, no measure of where the object is; lab 001 likewise",
)


def claims_of(data: str | None, *, has_mosaics: bool = False, places_only: bool = False) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        data: of the network that is explained beside that of the planted patch; None where there is none.
        has_mosaics: whether that one also explains mosaics. places_only: whether its maps are judged by nothing else.
    """
    own = () if data is None or places_only else (_faithful("grad-cam", f"the network of {data}", "own "),)
    cells = (_cells(data),) if data is not None and has_mosaics else ()
    return (
        _points(),
        *(_faithful(method, "the network that learned the patch", "") for method in JUDGED),
        *own,
        *cells,
        _untrained(),
    )


def _points() -> Claim:
    return Claim(
        id="looks-patch",
        statement="Grad-CAM points at the planted patch in over 95 % of the images",
        parts=(part("pointing", against("grad-cam", 0.94), measure=POINTING, delta=POINT),),
        says={
            "supported": "At what decides the class: Grad-CAM points at the planted patch in {grad-cam} of the images (random "
            "maps: {random}, an untrained network: {grad-cam untrained}).",
            "refuted": "Not always at what decides the class: Grad-CAM points at the planted patch in only {grad-cam} of "
            "the images.",
            "open": "Grad-CAM points at the planted patch in {grad-cam} of these images; whether in over 95 % of all is open.",
        },
        means=POINTS,
        figure="pointing",
    )


def _cells(data: str) -> Claim:
    return Claim(
        id="looks-object",
        statement=f"Grad-CAM of the network of {data} lies on the image of the class more than edges do",
        parts=(
            part(
                "grad-cam - edges",
                difference("own grad-cam", "own edges"),
                measure=OWN_CELL,
                delta=MATTERS,
            ),
        ),
        says={
            "supported": f"Of four images of {data} side by side, {{own grad-cam}} of the map lies on the one of the class "
            "(edges {own edges}).",
            "refuted": f"Of four images of {data} side by side, only {{own grad-cam}} of the map lies on the one of the class "
            "(edges {own edges}).",
            "open": f"Of four images of {data} side by side, {{own grad-cam}} of the map lies on the one of the class (edges "
            "{own edges}); whether that is more is open.",
        },
        published=LABS if data == "cifar10" else None,
        deviations=DIFFERS if data == "cifar10" else None,
        means=CELLS,
        figure="cells",
    )


def _faithful(method: str, net: str, prefix: str) -> Claim:
    arm = f"{prefix}{method}"
    beats = tuple(
        part(f"better than {word}", difference(arm, f"{prefix}{other}"), measure=GAP, delta=MATTERS)
        for other, word in (("random", "random maps"), ("edges", "edges"))
    )
    changes = Contrast({arm: -1.0}, constant=0.5)  # above 0: a rank correlation below a half
    named = JUDGED[method] if method.endswith("cam") else JUDGED[method].lower()
    beside = f"edges {{{prefix}edges}}, random maps {{{prefix}random}}"
    ranks = f"rank correlation with the maps of random weights {{{arm}: {SIMILARITY}}}"
    numbers = f"insertion minus deletion {{{arm}}}, {beside}; {ranks}"
    return Claim(
        id=f"looks-{method}{'-own' if prefix else ''}",
        statement=f"Maps by {named} are faithful to {net}: better than random maps and edges, and different when all "
        "weights are randomised",
        parts=(*beats, part(CHANGES, changes, measure=SIMILARITY, delta=MATTERS)),
        says={
            "supported": f"By insertion minus deletion ({beside}) faithful to {net} are maps by {{subjects}}.",
            "refuted": f"Maps by {named} are not faithful to {net}, for they are not {{fails}} ({numbers}).",
            "open": f"Whether maps by {named} are faithful to {net} is open, for it is open whether they are {{undecided}} "
            f"({numbers}).",
        },
        subject=f"{named} ({{{arm}}})",
        means=BELIEVED,
        figure="gap",
    )


def _untrained() -> Claim:
    return Claim(
        id="looks-untrained",
        statement="Training teaches it: Grad-CAM of the trained network points at the planted patch more often than Grad-CAM "
        "of an untrained one, by over half of the images",
        parts=(
            part(
                "trained - untrained",
                difference("grad-cam", "grad-cam untrained"),
                measure=POINTING,
                delta=HALF,
            ),
        ),
        means=POINTS,
        figure="pointing",
    )
