"""What is claimed about regularisers, each as a comparison fixed before the runs."""

from __future__ import annotations

from collections.abc import Mapping

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import LOSS, TWO_POINTS, part, published

FIVE_POINTS = 0.05
FIGURE = "accuracy-by-images"
OVERFITTING = (
    "A network with many weights can learn its training images by heart, and then does worse on others: it is overfitting. A "
    "regulariser makes that harder; what it gains depends on how few the images are."
)
AUGMENTED = (
    "Augmentation shows every training image a little shifted, turned or bent, as if there were more of them. It helps as far as "
    "the changed images look like images that the test could hold."
)
CLOSE = "a few hundred test images hardly show a difference of two points; mnist has 10,000"
LAB = published(
    "002",
    "validation loss near 0.045 with augmentation, 0.076 with dropout and batch norm, 0.09 plain, at epoch 13",
    "three different nets, each with a patience of its own; its validation set is the test set; one run",
)


def claims_of(words: Mapping[str, str], few: int, *, small: bool = False) -> tuple[Claim, ...]:
    """Return the claims about regularisers.

    Args:
        words: of the regularisers compared, name -> label. few: training images of the small training set.
        small: ask what a few hundred test images can settle: differences of two points and more.
    """
    return (
        (*_small(few), *(_changes_nothing(name, words[name]) for name in SILENT))
        if small
        else _published(words)
    )


SILENT = ("weight-decay", "stopping", "extrapolation")
"""Regularisers that are said to change little here."""


def _published(words: Mapping[str, str]) -> tuple[Claim, ...]:
    others = {name: word for name, word in words.items() if name != "light"}
    return (*_with_all(others), *_with_few(others))


def _with_all(others: Mapping[str, str]) -> tuple[Claim, ...]:
    losses = "{light-all}, with dropout and batch norm {dropout-norm-all}, with no regulariser {none-all}"
    return (
        Claim(
            id="C002-02",
            statement="With all training images light augmentation lowers the test loss below that of no regulariser "
            "and of dropout with batch norm",
            parts=tuple(
                part(
                    f"{others[name]} above light augmentation",
                    difference(f"{name}-all", "light-all"),
                    measure=LOSS,
                )
                for name in ("none", "dropout-norm")
            ),
            published=LAB,
            says={
                "supported": f"With all training images light augmentation brings the test loss down to {losses}.",
                "refuted": f"With all training images light augmentation does not have the lowest test loss: {losses}.",
                "open": f"With all training images the test loss under light augmentation is {losses}; whether it is lower "
                "than both is open.",
            },
            means=AUGMENTED,
            figure=FIGURE,
        ),
        Claim(
            id="C002-02b",
            statement="With all training images light augmentation is the best: more accurate than every other arm",
            parts=tuple(
                part(f"above {word}", difference("light-all", f"{name}-all"), delta=0.001)
                for name, word in others.items()
            ),
            published=LAB,
            says={
                "supported": "In accuracy it is the best of all: {light-all} of the test images "
                "classified correctly, {none-all} without a regulariser.",
                "refuted": "In accuracy it ({light-all}) is not the best of all; without a "
                "regulariser it is {none-all}.",
                "open": "In accuracy it reaches {light-all} and without a regulariser {none-all}; whether it is the "
                "best of all is "
                "open.",
            },
            means=AUGMENTED,
            figure=FIGURE,
        ),
    )  # fmt: skip


def _with_few(others: Mapping[str, str]) -> tuple[Claim, ...]:
    return (
        Claim(
            id="regularisers-few",
            statement="With few training images light augmentation is over a point more accurate than every other arm",
            parts=tuple(part(f"above {word}", difference("light-few", f"{name}-few")) for name, word in others.items()),
            says={
                "supported": "With few images it is over a point better than every other: {light-few}, and {none-few} "
                "without a regulariser.",
                "refuted": "With few images it is not a point better than every other: {light-few}, and {none-few} "
                "without a regulariser.",
                "open": "With few images it reaches {light-few}, and {none-few} without a regulariser.",
            },
            means=AUGMENTED,
            figure=FIGURE,
        ),
        Claim(
            id="regularisers-stopping",
            statement="With few training images early stopping on the whole validation part gains over half a point",
            parts=(part("early stopping - none", difference("stopping-few", "none-few"), delta=0.005),),
            means=OVERFITTING,
            figure=FIGURE,
        ),
        Claim(
            id="regularisers-features",
            statement="With few training images extrapolating hidden features gains over half a point",
            parts=(part("extrapolation - none", difference("extrapolation-few", "none-few"), delta=0.005),),
            means=OVERFITTING,
            figure=FIGURE,
        ),
    )  # fmt: skip


def _small(few: int) -> tuple[Claim, ...]:
    return (
        Claim(
            id="regularisers-images",
            statement=f"Without a regulariser {few} training images instead of all cost over five points",
            parts=(part("all - few", difference("none-all", "none-few"), delta=FIVE_POINTS),),
            says={
                "supported": f"The number of training images matters most: {few} reach {{none-few}}, all {{none-all}}.",
                "refuted": f"Even {few} training images are nearly enough: {{none-few}}, all reach {{none-all}}.",
                "open": f"{few} training images reach {{none-few}}, all {{none-all}}.",
            },
            means=OVERFITTING,
            figure=FIGURE,
        ),
        Claim(
            id="regularisers-no-substitute",
            statement=f"Light augmentation does not make up for images: all of them without a regulariser are over two points "
            f"more accurate than {few} with it",
            parts=(part("all, none - few, light", difference("none-all", "light-few"), delta=TWO_POINTS),),
            says={
                "supported": f"Light augmentation does not make up for the missing ones: {{light-few}} with {few}.",
                "refuted": f"Light augmentation makes up for the missing ones: {{light-few}} with {few}.",
            },
            means=AUGMENTED,
            figure=FIGURE,
        ),
        Claim(
            id="regularisers-light",
            statement=f"With {few} training images light augmentation is over two points more accurate than no regulariser",
            parts=(part("light - none", difference("light-few", "none-few"), delta=TWO_POINTS),),
            reach=CLOSE,
            says={
                "supported": "It gains {size} over no regulariser, though.",
                "open": "Whether it gains two points over no regulariser is open.",
            },
            means=AUGMENTED,
            figure=FIGURE,
        ),
        Claim(
            id="regularisers-harmless",
            statement="With all training images light augmentation costs less than two points",
            parts=(
                part("light - none", difference("light-all", "none-all"), delta=TWO_POINTS, kind="not less"),
            ),
            means=AUGMENTED,
            figure=FIGURE,
        ),
    )  # fmt: skip


def _changes_nothing(name: str, label: str) -> Claim:
    return Claim(
        id=f"regularisers-{name}-silent",
        statement=f"With few training images {label} changes the accuracy by less than two points",
        parts=(
            part(f"{label} - none", difference(f"{name}-few", "none-few"), delta=TWO_POINTS, kind="same"),
        ),
        says={"supported": "With few images {subjects} {changes|change} less than two points."},
        reach=CLOSE if name == "stopping" else "",
        subject=f"{label} ({{{name}-few}})",
        means=OVERFITTING,
        figure=FIGURE,
    )
