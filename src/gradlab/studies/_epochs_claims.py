"""What is claimed about foreign images and the length of a training, fixed before any run."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference, difference_of_differences
from gradlab.studies._foreign import NEAR, NOISE
from gradlab.studies._shared import POINT, TWO_POINTS, part

AUROC, ACCURACY, FIGURE = "AUROC", "in-distribution accuracy", "auroc-by-epoch"
MEANS = (
    "More epochs make a network more accurate and also surer of everything, of foreign images as well. What it gains in telling "
    "its own classes apart helps to notice foreign images only as far as these do not share what is learned late."
)


def claims_of(epochs: list[int], near: str) -> tuple[Claim, ...]:
    """Return the claims.

    δ is two points of AUROC between far epochs, as between networks in the other studies of detection, and one point between
    the last ones: the same training and images stand on both sides, so that smaller differences are sure.

    Args:
        epochs: after which the network is judged, ascending. near: what the near set is called.
    """
    first, before, last = epochs[0], epochs[-2], epochs[-1]
    return (
        _longer(first, last, near),
        _settles(before, last, near),
        _longer(first, last, NOISE),
        _alike(first, last, near),
    )


def _longer(first: int, last: int, told: str) -> Claim:
    late, early = f"max-softmax {told} {last}", f"max-softmax {told} {first}"
    numbers = (
        f"{{{late}}} after {last} epochs ({{{late}: {ACCURACY}}} of the familiar images right), {{{early}}} after {first} "
        f"({{{early}: {ACCURACY}}})"
    )
    return Claim(
        id=f"epochs-{'noise' if told == NOISE else 'near'}",
        statement=f"By the maximum softmax {told} {'are' if told == NEAR else 'is'} detected over two points of AUROC "
        f"better after {last} epochs than after {first}",
        parts=(part("last - first", difference(late, early), measure=AUROC, delta=TWO_POINTS),),
        says={
            "supported": f"A longer training helps to notice {told}: AUROC {numbers}.",
            "refuted": f"A longer training does not help by two points to notice {told}: AUROC {numbers}.",
            "open": f"Whether a longer training helps by two points to notice {told} is open: AUROC {numbers}.",
        },
        means=MEANS,
        figure=FIGURE,
    )


def _settles(before: int, last: int, near: str) -> Claim:
    late, early = f"max-softmax {near} {last}", f"max-softmax {near} {before}"
    numbers = f"AUROC on {near} {{{late}}} after {last}, {{{early}}} after {before}"
    return Claim(
        id="epochs-settled",
        statement=f"After epoch {before} and epoch {last} the AUROC of the maximum softmax on {near} is equally high, "
        "to within a point",
        parts=(part("last - before", difference(late, early), measure=AUROC, delta=POINT, kind="same"),),
        says={
            "supported": f"The last epochs change nothing: {numbers}.",
            "refuted": f"The last epochs still change it: {numbers}.",
            "open": f"Whether the last epochs change it by a point is open: {numbers}.",
        },
        means=MEANS,
        figure=FIGURE,
    )


def _alike(first: int, last: int, near: str) -> Claim:
    arms = [f"{detector} {near} {epoch}" for detector in ("knn", "max-softmax") for epoch in (last, first)]
    return Claim(
        id="epochs-features",
        statement=f"Training on improves the AUROC on {near} over two points more by the distance to training images than by the "
        "maximum softmax",
        parts=(
            part(
                "k-NN's gain - softmax's",
                difference_of_differences(*arms),
                measure=AUROC,
                delta=TWO_POINTS,
            ),
        ),
        says={
            "supported": f"The features gain more than the outputs: by the distance to training images from {{{arms[1]}}} to "
            f"{{{arms[0]}}}.",
            "refuted": f"The features gain no more than the outputs: by the distance to training images from {{{arms[1]}}} to "
            f"{{{arms[0]}}}.",
        },
        means=MEANS,
        figure=FIGURE,
    )
