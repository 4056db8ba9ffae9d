"""What is claimed about the budget of FGSM, by labs 003 and 004 and by ourselves."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._attack_shared import CURVE, DROP, ITERATIONS, ROBUST, SUCCESS
from gradlab.studies._shared import TWO_POINTS, part, published

FIVE, TEN = 0.05, 0.1
HALF = 0.5
"""Smallest difference in iterations that matters."""
BUDGET = (
    "The larger the step, the farther the loss can rise. But one step follows the gradient at the image as given; far away from "
    "it the loss need not rise along that line, and a longer step can even come back."
)
MORE = (
    "With more budget an attack succeeds on more images, and on each of them earlier. The true class's probability falls further "
    "as well, on images that are fooled and on those that are not."
)
LAB_004 = published(
    "004",
    "accuracy 84.73, 47.53, 9.68, 5.83, 5.42, 5.79 % at eps 0, 0.01, 0.05, 0.1, 0.2, 0.3 of the normalised image",
    "one run, one step, images not clipped; a later text has other numbers",
)
LAB_003 = published(
    "003",
    "success .365 .535 .630 .640, iterations 5.40 4.66 3.88 2.81, fall of confidence .647 .775 .883 .924 at 0.5, 1, 2, 4/255",
    "200 images in [-1, 1], ten steps without a limit; images that were wrong before count as failures, so .64 is the ceiling",
)


def claims_of(single: tuple[float, ...], steps: tuple[float, ...]) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        single: sizes of the one step, ascending. steps: of each of ten steps, ascending.
    """
    one = [f"{eps * 255:.3g}" for eps in single]
    ten = [f"{10 * eps * 255:.3g}" for eps in (steps[0], steps[-1])]
    return (_falls(one), _flat(one), _grows(ten), _earlier(ten), _drop(ten), _steps(one))


def _falls(one: list[str]) -> Claim:
    numbers = (
        f"{{fgsm-0}} without attack, {{fgsm-{one[0]}}} at {one[0]}/255, {{fgsm-{one[1]}}} at {one[1]}/255"
    )
    pairs = (("0", one[0]), (one[0], one[1]))
    return Claim(
        id="C004-15",
        statement=f"Accuracy falls with the step of FGSM: by over five points from 0 to {one[0]}/255, and again to {one[1]}/255",
        parts=tuple(
            part(f"{a} - {b}", difference(f"fgsm-{a}", f"fgsm-{b}"), measure=ROBUST, delta=FIVE)
            for a, b in pairs
        ),
        published=LAB_004,
        says={
            "supported": f"Accuracy falls with the size of the one step: {numbers}.",
            "refuted": f"Accuracy does not fall by five points with each size of the one step: {numbers}.",
            "open": f"With one step accuracy is {numbers}.",
        },
        means=BUDGET,
        figure=CURVE,
    )


def _flat(one: list[str]) -> Claim:
    a, b = one[-2:]
    return Claim(
        id="C004-15b",
        statement=f"A step of {b}/255 instead of {a}/255 leaves the accuracy the same, to within two points",
        parts=(
            part(
                f"{b} - {a}",
                difference(f"fgsm-{b}", f"fgsm-{a}"),
                measure=ROBUST,
                delta=TWO_POINTS,
                kind="same",
            ),
        ),
        published=LAB_004,
        says={
            "supported": f"From {a}/255 on a larger step changes nothing ({{fgsm-{b}}} at {b}/255).",
            "refuted": f"From {a}/255 to {b}/255 it goes on changing, from {{fgsm-{a}}} to {{fgsm-{b}}}.",
        },
        means=BUDGET,
        figure=CURVE,
    )


def _grows(ten: list[str]) -> Claim:
    low, high = ten
    return Claim(
        id="C003-07",
        statement=f"Ten steps succeed on over ten points more images with a radius of {high}/255 than of {low}/255",
        parts=(
            part(
                "large - small",
                difference(f"iterated-{high}", f"iterated-{low}"),
                measure=SUCCESS,
                delta=TEN,
            ),
        ),
        published=LAB_003,
        says={
            "supported": f"Ten steps fool {{iterated-{high}}} of the images that were right within {high}/255, and "
            f"{{iterated-{low}}} within {low}/255.",
        },
        means=MORE,
        figure="success-by-eps",
    )


def _earlier(ten: list[str]) -> Claim:
    low, high = ten
    return Claim(
        id="C003-07b",
        statement=f"The first success comes over half an iteration earlier with a radius of {high}/255 than of {low}/255",
        parts=(
            part(
                "small - large",
                difference(f"iterated-{low}", f"iterated-{high}"),
                measure=ITERATIONS,
                delta=HALF,
            ),
        ),
        published=LAB_003,
        means=MORE,
        figure="iterations-by-eps",
    )


def _drop(ten: list[str]) -> Claim:
    low, high = ten
    return Claim(
        id="C003-07c",
        statement=f"The true class's probability falls by over ten points more within {high}/255 than within {low}/255",
        parts=(
            part(
                "large - small",
                difference(f"iterated-{high}", f"iterated-{low}"),
                measure=DROP,
                delta=TEN,
            ),
        ),
        published=LAB_003,
        means=MORE,
        figure="drop-by-eps",
    )


def _steps(one: list[str]) -> Claim:
    high = one[-1]
    return Claim(
        id="fgsm-budget-steps",
        statement=f"At {high}/255 ten steps of PGD leave over ten points fewer images right than the one step of the same size",
        parts=(part("FGSM - PGD", difference(f"fgsm-{high}", f"pgd-{high}"), measure=ROBUST, delta=TEN),),
        says={
            "supported": f"One step is a poor judge of robustness: at {high}/255 it leaves {{fgsm-{high}}}, ten steps of PGD "
            f"{{pgd-{high}}}.",
            "refuted": f"At {high}/255 ten steps of PGD do not do much more than one: {{pgd-{high}}} against {{fgsm-{high}}}.",
        },
        means=BUDGET,
        figure=CURVE,
    )
