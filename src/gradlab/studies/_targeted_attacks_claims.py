"""What is claimed about targeted attacks, by labs 000, 001 and 003 and by ourselves."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._attack_shared import DROP, ITERATIONS, SUCCESS
from gradlab.studies._shared import TWO_POINTS, part, published

FIVE, TEN, HALF = 0.05, 0.1, 0.5
RATE, LATER, FALL = "success-by-eps", "iterations-by-eps", "drop-by-eps"
HARDER = (
    "Any wrong class will do for an untargeted attack, and the nearest one is often close. A certain class may lie far away, "
    "behind others, so it takes more steps and more budget to get there, if one gets there at all."
)
FAIR = (
    "Both shares have to be counted over the same images: those that the network classified correctly. Lab 003 left the others "
    "out on one side only."
)
LAB_000 = published(
    "000",
    "success 61.39 %, confidence of the target +0.4077",
    "one step of 0.03 of the normalised image towards bird; 101 images, true birds counted as successes",
)
LAB_001 = published("001", "pictures", "steps of 1/255 in [-1, 1] without a limit")
LAB_003 = published(
    "003",
    "untargeted .13 .175 .23 .25, targeted .075 .175 .27 .315 of 200; iterations 6.8 5.0 4.2 3.3 against 7.0 6.1 5.4 4.1",
    "one run, towards dog; images that were wrong before count as failures of the untargeted attack alone",
)


def claims_of(radii: tuple[float, ...], single: float) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        radii: of ten steps, ascending. single: of the one step.
    """
    middle, high = (f"{radii[place] * 255:.3g}" for place in (-2, -1))
    return (
        _chooses(high),
        _more(high),
        _steps(high),
        _drop(middle),
        _one(single),
        _unseen(high),
        _least(high),
    )


def _chooses(high: str) -> Claim:
    numbers = (
        f"{{random-{high}}} of the images that were classified correctly become a class drawn at random, {{least-{high}}} the "
        "least likely one"
    )
    return Claim(
        id="targeted-chooses",
        statement=f"Within {high}/255 ten steps turn over half of the images into another class drawn at random",
        parts=(part("success", against(f"random-{high}", 0.4), measure=SUCCESS, delta=TEN),),
        says={
            "supported": f"Yes: within {high}/255 {numbers}.",
            "refuted": f"Not for most images: within {high}/255 {numbers}.",
            "open": f"Within {high}/255 {numbers}.",
        },
        means=HARDER,
        figure=RATE,
    )


def _more(high: str) -> Claim:
    return Claim(
        id="C003-11",
        statement=f"Within {high}/255 targeted attacks succeed on over two points more of the images than untargeted ones",
        parts=(
            part(
                "class 2 - untargeted",
                difference(f"class-{high}", f"away-{high}"),
                measure=SUCCESS,
                delta=TWO_POINTS,
            ),
        ),
        published=LAB_003,
        says={
            "supported": f"Targeted attacks succeed even more often ({{class-{high}}}) than untargeted ones ({{away-{high}}}).",
            "refuted": f"Untargeted attacks succeed on {{away-{high}}}, those towards class 2 on {{class-{high}}}.",
        },
        means=FAIR,
        figure=RATE,
    )


def _steps(high: str) -> Claim:
    return Claim(
        id="C003-10",
        statement=f"Within {high}/255 a targeted attack needs over half an iteration more until its first success",
        parts=(
            part(
                "class 2 - untargeted",
                difference(f"class-{high}", f"away-{high}"),
                measure=ITERATIONS,
                delta=HALF,
            ),
        ),
        published=LAB_003,
        says={
            "supported": f"The way to class 2 takes {{class-{high}}}, the way to any class {{away-{high}}}.",
        },
        means=HARDER,
        figure=LATER,
    )


def _drop(middle: str) -> Claim:
    return Claim(
        id="C003-10b",
        statement=f"Within {middle}/255 untargeted attacks lower the true class's probability by over five points more",
        parts=(
            part(
                "untargeted - class 2",
                difference(f"away-{middle}", f"class-{middle}"),
                measure=DROP,
                delta=FIVE,
            ),
        ),
        published=LAB_003,
        means=HARDER,
        figure=FALL,
    )


def _one(single: float) -> Claim:
    name = f"step-{single * 255:.3g}"
    others = "of the correctly classified images of other classes into class 2"
    return Claim(
        id="C000-16",
        statement=f"One step of {single * 255:.3g}/255 towards class 2 turns over half of the images into it",
        parts=(part("success", against(name, 0.4), measure=SUCCESS, delta=TEN),),
        published=LAB_000,
        says={
            "supported": f"One step of {single * 255:.3g}/255 turns {{{name}}} {others}.",
            "refuted": f"One step of {single * 255:.3g}/255 turns only {{{name}}} {others}.",
        },
        means=HARDER,
        figure=RATE,
    )


def _unseen(high: str) -> Claim:
    return Claim(
        id="C001-12",
        statement=f"Targeted attacks succeed invisibly: within {high}/255 the similarity (SSIM) of the successes is above 0.95",
        parts=(part("similarity", against(f"class-{high}", 0.94), measure="SSIM", delta=0.01),),
        published=LAB_001,
        says={
            "refuted": f"They can be seen: the structural similarity is {{class-{high}: SSIM}}, where 1 is the same image.",
        },
        means="Structural similarity compares light, contrast and pattern in small windows, as the eye does. Above about 0.95 a "
        "difference is hard to see.",
        figure=RATE,
    )


def _least(high: str) -> Claim:
    return Claim(
        id="targeted-least",
        statement=f"Within {high}/255 the least likely class is reached over ten points less often than one drawn at random",
        parts=(
            part(
                "random - least likely",
                difference(f"random-{high}", f"least-{high}"),
                measure=SUCCESS,
                delta=TEN,
            ),
        ),
        means=HARDER,
        figure=RATE,
    )
