"""What is claimed about distillation, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import POINT, TWO_POINTS, part

FIGURE = "accuracy-by-temperature"
SOFT = (
    "A teacher's probabilities say which wrong classes an image resembles, so that every image teaches something about several "
    "classes. The twin with hard labels is equal in everything else: start, images, views, order, epochs."
)
WARM = (
    "At temperature 1 a sure teacher says almost what the label says. Divided by a higher temperature its logits become softer "
    "probabilities, in which the small differences between wrong classes can be seen."
)
SIZE = (
    "The student has about half of the teacher's parameters. What it loses against the teacher is the price of being smaller, as "
    "far as teaching does not make up for it."
)
NEAR = "a few hundred test images hardly show a difference of two points"


def claims_of(coldest: float, *, small: bool) -> tuple[Claim, ...]:
    """Return the claims about distillation.

    Args:
        coldest: the lowest temperature. small: ask what a few hundred test images can settle.
    """
    delta, told = (TWO_POINTS, "two points") if small else (POINT, "a point")
    return (
        _twin(delta, told),
        _agreement(),
        _teacher(),
        _labels(),
        *([] if coldest == 4 else [_temperature(coldest, delta, told)]),
    )


def _twin(delta: float, told: str) -> Claim:
    numbers = "{both-4} of the test images right, against {hard} with the labels alone, the teacher {teacher}"
    return Claim(
        id="distillation-twin",
        statement=f"A student that learns the teacher's soft labels as well is over {told} more accurate than its "
        "hard-label twin",
        parts=(part("both - hard", difference("both-4", "hard"), delta=delta),),
        says={
            "supported": f"Yes: with the teacher's soft labels at temperature 4 a student gets {numbers}.",
            "refuted": f"Not by {told}: with the teacher's soft labels at temperature 4 a student gets {numbers}.",
            "open": f"Whether by {told} is open: with the teacher's soft labels at temperature 4 a student gets {numbers}.",
        },
        means=SOFT,
        figure=FIGURE,
    )


def _agreement() -> Claim:
    name = "agreement with the teacher"
    return Claim(
        id="distillation-agreement",
        statement="A student of soft labels alone names the teacher's class over two points more often than the hard-label "
        "twin does",
        parts=(part("soft - hard", difference("soft", "hard"), measure=name, delta=TWO_POINTS),),
        says={
            "supported": "Soft labels alone make it follow the teacher: they name one class for "
            "{soft: agreement with the teacher} of the images, the twin for {hard: agreement with the teacher}.",
            "refuted": "Soft labels alone hardly make it follow the teacher: they name one class for {soft: agreement with the "
            "teacher} of the images, the twin for {hard: agreement with the teacher}.",
        },
        means=SOFT,
        figure=FIGURE,
    )


def _teacher() -> Claim:
    return Claim(
        id="distillation-teacher",
        statement="With soft labels the student loses less than two points against its teacher of twice the size",
        parts=(part("both - teacher", difference("both-4", "teacher"), delta=TWO_POINTS, kind="not less"),),
        says={
            "supported": "Against its teacher it loses less than two points.",
            "refuted": "Against its teacher it still loses {size}.",
        },
        means=SIZE,
        figure=FIGURE,
    )


def _labels() -> Claim:
    return Claim(
        id="distillation-labels",
        statement="Without any true label the student is at most two points less accurate than with both",
        parts=(part("soft - both", difference("soft", "both-4"), delta=TWO_POINTS, kind="not less"),),
        says={
            "supported": "It needs no true labels beside the soft ones: {soft}.",
            "refuted": "It needs true labels beside the soft ones: without them {soft}.",
        },
        means=SOFT,
        figure=FIGURE,
    )


def _temperature(coldest: float, delta: float, told: str) -> Claim:
    cold = f"both-{coldest:g}"
    return Claim(
        id="distillation-temperature",
        statement=f"At temperature 4 the student is over {told} more accurate than at {coldest:g}",
        parts=(part(f"T 4 - T {coldest:g}", difference("both-4", cold), delta=delta),),
        says={
            "supported": f"The higher temperature helps: at {coldest:g} it is {{{cold}}}.",
            "refuted": f"Temperature 4 does not help by {told}: at {coldest:g} it is {{{cold}}}.",
        },
        reach=NEAR if delta == TWO_POINTS else "",
        means=WARM,
        figure=FIGURE,
    )
