"""What is claimed about transfer, by labs 000, 001 and 004 and by ourselves, each as a comparison fixed before the runs."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import TWO_POINTS, part, published

FIVE_POINTS, TEN_POINTS = 0.05, 0.1
FIGURE = "accuracy-by-parameters"
CONTROL = (
    "Fine-tuning starts where another training ended. Whether that helps, only the same network shows that starts from scratch, "
    "with the same images and the same number of epochs. Without it, good accuracy may be the merit of the new training alone."
)
FEATURES = (
    "The last layer before the head holds what the network has learned to see. A classical classifier can use it without any "
    "further training of the network. It can find nothing there that the old classes did not need."
)
PARTS = (
    "The first layers of a network see edges and colours, which all pictures have; the last ones what its own classes need. "
    "So one can keep the first and train the last alone. That trains fewer numbers, and it may cost accuracy."
)
STEPS = (
    "A new head starts from random weights, and its first gradients are random as well. Gradual unfreezing trains it first, so "
    "that they cannot spoil what the layers below have learned."
)
LAB_000 = published(
    "000",
    "SVM 16.95 %, nearest neighbours 9.99 %, fine-tuned 39.48 %",
    "one run; the features are the ten logits of the source network; the stem stays frozen in the fine-tuned one",
)
LAB_001 = published(
    "001",
    "SVM 19.0 %, head alone 42.06 %, last block and head 44.86 %, on validation data",
    "one run; the SVM is far below the head, though both are linear on the same features",
)
LAB_004 = published(
    "004",
    "SVM 30.24 %, nearest neighbours 16.11 %, head 30.63 %, all with Adam 55.48 %, all with SGD 52.67 %, from scratch 55.41 "
    "%, on validation data",
    "the maximum over 100 epochs, one run; the run with Adam goes on from the trained head, the one with SGD does not",
)


def claims_of(deviations: tuple[str, ...], *, small: bool) -> tuple[Claim, ...]:
    """Return the claims about transfer.

    Args:
        deviations: from the labs' settings. small: ask what a few hundred test images can settle.
    """
    close = (FIVE_POINTS, "five") if small else (TWO_POINTS, "two")
    own = (_scratch(), _last_block(*close), _gradual(*close))
    if small:
        return (own[0], _far(FIVE_POINTS, "five"), _layer(), *own[1:])
    labs = (
        _far(TEN_POINTS, "ten"),
        _equal_to_scratch(),
        _adam(),
        _classical(),
        _little(),
        _linear(),
    )
    reasons = {
        "C000-07": (*deviations, "all layers train, the stem included", "k of the neighbours and C chosen on validation"),
        "C001-04": (*deviations, "the lab's nets are not published", "test accuracy instead of validation accuracy"),
        "C001-04b": (*deviations, "the lab's nets are not published", "test accuracy instead of validation accuracy"),
    }  # fmt: skip
    told = tuple(replace(one, deviations=reasons.get(one.id, deviations)) for one in labs)
    return (own[0], *told[:1], _layer(), *told[1:], *own[1:])


def _scratch() -> Claim:
    numbers = "{all} of the test images of the new classes are classified correctly, from scratch {scratch}"
    return Claim(
        id="transfer-scratch",
        statement="Fine-tuning all layers is over two points more accurate than training from scratch for as many epochs",
        parts=(part("fine-tuned - scratch", difference("all", "scratch"), delta=TWO_POINTS),),
        says={
            "supported": f"Yes: after fine-tuning all layers {numbers}, after as many epochs.",
            "refuted": f"Not by two points: after fine-tuning all layers {numbers}, after as many epochs.",
            "open": f"Whether it helps by two points is open: after fine-tuning all layers {numbers}.",
        },
        means=CONTROL,
        figure=FIGURE,
    )


def _far(delta: float, told: str) -> Claim:
    numbers = "{linear-svm} and {nearest-neighbours} against {all}"
    return Claim(
        id="C004-07",
        statement=f"Fine-tuning all layers is over {told} points more accurate than a linear SVM and than nearest neighbours on "
        "frozen features",
        parts=(
            part("fine-tuned - linear SVM", difference("all", "linear-svm"), delta=delta),
            part("fine-tuned - nearest neighbours", difference("all", "nearest-neighbours"), delta=delta),
        ),
        published=LAB_004,
        says={
            "supported": f"Classical heads on frozen features stay far behind: linear SVM and nearest neighbours {numbers}.",
            "refuted": f"Classical heads on frozen features are not all far behind: linear SVM and nearest neighbours {numbers}.",
            "open": f"Linear SVM and nearest neighbours on frozen features reach {numbers}.",
        },
        means=FEATURES,
        figure=FIGURE,
    )


def _layer() -> Claim:
    return Claim(
        id="transfer-layer",
        statement="A linear SVM is over two points more accurate on the features before the last layer than on the logits "
        "of the old classes",
        parts=(
            part("features - logits", difference("linear-svm", "logits-linear-svm"), delta=TWO_POINTS),
        ),
        says={
            "supported": "The layer matters: a linear SVM on the logits of the old classes reaches {logits-linear-svm}.",
            "refuted": "The logits of the old classes would do nearly as well for it: {logits-linear-svm}.",
        },
        means=FEATURES,
        figure=FIGURE,
    )  # fmt: skip


def _equal_to_scratch() -> Claim:
    return Claim(
        id="C004-06",
        statement="Fine-tuning all layers is as accurate as training from scratch, to within two points",
        parts=(part("fine-tuned - scratch", difference("all", "scratch"), delta=TWO_POINTS, kind="same"),),
        published=LAB_004,
        means=CONTROL,
        figure=FIGURE,
    )


def _adam() -> Claim:
    return Claim(
        id="C004-06b",
        statement="Fine-tuning all layers is over a point more accurate with Adam than with SGD",
        parts=(part("Adam - SGD", difference("all", "all-sgd")),),
        published=LAB_004,
        means="Both optimisers start from the same weights and take as many steps. Adam scales every weight's step by its recent "
        "gradients, SGD with momentum takes the gradient as it is.",
        figure=FIGURE,
    )


def _classical() -> Claim:
    return Claim(
        id="C000-07",
        statement="Fine-tuning is over a point more accurate than a linear SVM and than nearest neighbours on the logits of "
        "the old classes",
        parts=(
            part("fine-tuned - linear SVM", difference("all", "logits-linear-svm")),
            part("fine-tuned - nearest neighbours", difference("all", "logits-nearest-neighbours")),
        ),
        published=LAB_000,
        means=FEATURES,
        figure=FIGURE,
    )


def _little() -> Claim:
    return Claim(
        id="C001-04",
        statement="Fine-tuning helps only a little: a head alone is at most five points less accurate than the last block "
        "with it",
        parts=(
            part("head - last block", difference("head", "last-block"), delta=FIVE_POINTS, kind="not less"),
        ),
        published=LAB_001,
        says={
            "supported": "A head alone ({head}) loses less than five points against the last block with it ({last-block}).",
            "refuted": "A head alone ({head}) loses more than five points against the last block with it ({last-block}).",
        },
        means=PARTS,
        figure=FIGURE,
    )


def _linear() -> Claim:
    return Claim(
        id="C001-04b",
        statement="A linear SVM on frozen features is as accurate as a head trained by gradient descent, to within two points",
        parts=(part("SVM - head", difference("linear-svm", "head"), delta=TWO_POINTS, kind="same"),),
        published=LAB_001,
        predicts="refuted",
        means=FEATURES,
        figure=FIGURE,
    )


def _last_block(delta: float, told: str) -> Claim:
    return Claim(
        id="transfer-last-block",
        statement=f"Training the last block and the head loses less than {told} points against training all layers",
        parts=(
            part("last block - all", difference("last-block", "all"), delta=delta, kind="not less"),
        ),
        says={
            "supported": "The last block is enough: trained with the head it reaches {last-block}.",
            "refuted": "The last block is not enough: trained with the head it reaches {last-block}.",
        },
        means=PARTS,
        figure=FIGURE,
    )  # fmt: skip


def _gradual(delta: float, told: str) -> Claim:
    return Claim(
        id="transfer-gradual",
        statement=f"Gradual unfreezing is as accurate as training all layers at once, to within {told} points",
        parts=(part("gradual - all", difference("gradual", "all"), delta=delta, kind="same"),),
        says={
            "supported": f"Gradual unfreezing changes nothing, to within {told} points ({{gradual}}).",
            "refuted": f"Gradual unfreezing differs by {told} points or more ({{gradual}}).",
        },
        means=STEPS,
        figure=FIGURE,
    )
