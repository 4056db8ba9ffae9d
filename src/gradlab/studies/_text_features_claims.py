"""What is claimed about frozen features of texts."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import TWO_POINTS, part, published

LAYERS, HEADS = "accuracy-by-layer", "accuracy-by-head"
KNOWS = (
    "To guess a word that is missing, an encoder has to learn which words mean alike and go together. Features that know this "
    "need fewer labelled sentences to tell praise from blame."
)
WORDS = (
    "Even random vectors tell words apart, so that a classifier on their mean counts words. What is above that is what "
    "pre-training has added."
)
POOLS = (
    "Nothing in guessing words asks the first token to hold the whole sentence; the mean over all tokens holds a little of each. "
    "An encoder that was also trained on pairs of sentences may do better with the first token."
)
LINES = (
    "A linear SVM and logistic regression draw the same kind of boundary and differ in which sentences they try hardest to get "
    "right. On the same features they rarely differ by much."
)
NEAR = (
    "Nearest neighbours use all features alike, also those that have nothing to do with the classes. A linear classifier learns "
    "which ones count."
)
LEARNED = 0.15
"""How far above guessing a head counts as solid."""


def claims_of(classes: int, deviations: tuple[str, ...]) -> tuple[Claim, ...]:
    """Return the claims; one over `classes` is guessing."""
    return (
        _pretraining(),
        _solid(classes, deviations),
        Claim(
            id="text-features-mean",
            statement="The mean over all tokens is over two points better than the first token",
            parts=(part("mean - first token", difference("linear-svm", "cls"), delta=TWO_POINTS),),
            means=POOLS,
            figure=HEADS,
        ),
        _linear(deviations),
        _neighbours(deviations),
    )


def _pretraining() -> Claim:
    return Claim(
        id="text-features-pretraining",
        statement="Pre-trained features are over two points better than those of the same encoder with random weights",
        parts=(part("pre-trained - random", difference("pre-trained", "random"), delta=TWO_POINTS),),
        says={
            "supported": "On frozen features of the pre-trained encoder a linear SVM gets {pre-trained} of the test "
            "sentences right, on those of random weights {random}.",
            "refuted": "Pre-training is not worth two points: {pre-trained} of the test sentences against {random} with "
            "random weights.",
            "open": "A linear SVM gets {pre-trained} of the test sentences right on pre-trained features and {random} on "
            "random ones; whether that is two points is open.",
        },
        means=f"{KNOWS} {WORDS}",
        figure=LAYERS,
    )


def _solid(classes: int, deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="text-features-solid",
        statement="A linear SVM on the first token's features is over 15 points better than guessing",
        parts=(part("above guessing", against("cls", 1 / classes), delta=LEARNED),),
        published=published("000", "80.7 % of the test sentences", "linear SVM on [CLS], one fit"),
        deviations=deviations,
        means=KNOWS,
        figure=HEADS,
    )


def _linear(deviations: tuple[str, ...]) -> Claim:
    same = difference("linear-svm", "logistic-regression")
    return Claim(
        id="text-features-linear",
        statement="A linear SVM classifies equally well as logistic regression, within two points",
        parts=(part("SVM - logistic", same, delta=TWO_POINTS, kind="same"),),
        published=published(
            "004", "82 and 83 % on validation, 81 and 80 % on test", "on [CLS], one fit each"
        ),
        deviations=deviations,
        means=LINES,
        figure=HEADS,
    )


def _neighbours(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="text-features-neighbours",
        statement="A linear SVM is over two points better than nearest neighbours",
        parts=(part("SVM - neighbours", difference("linear-svm", "nearest-neighbours"), delta=TWO_POINTS),),
        published=published("004", "82 against 74 % of the validation sentences", "on [CLS], one fit each"),
        deviations=deviations,
        means=NEAR,
        figure=HEADS,
    )
