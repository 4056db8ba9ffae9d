"""What is claimed about the capacity of MLPs, each as a comparison fixed before the runs."""

from __future__ import annotations

import itertools

from gradlab.lab.designing.claims import Claim, Verdict
from gradlab.statistics import against, difference
from gradlab.studies._shared import TWO_POINTS, part, published

LAB_WIDTHS: tuple[int, ...] = (3, 10, 64)
HALF = 0.005
FIGURE = "accuracy-by-parameters"
WIDTH = (
    "Every unit of a hidden layer is one feature that the network can look for. Too few of them cannot tell ten classes apart; "
    "once there are enough, more units add little."
)
DEPTH = (
    "A further layer combines the features of the one before. Where one layer is accurate already, there is little left to "
    "gain, and a deeper network is no easier to train."
)
OPTIMISER = (
    "Adam scales every weight's step by its recent gradients, SGD takes the gradient as it is. With a rate that suits each, "
    "both can arrive at equally good weights."
)
LEVEL = (
    "The accuracy on test images says how often a network is right on images that it never saw. It is compared with a number "
    "here, not with another network."
)


def claims_of(
    widths: tuple[int, ...], depths: tuple[int, ...], labs: dict[str, tuple[str, ...]], *, small: bool = False
) -> tuple[Claim, ...]:
    """Return the claims that these widths and depths allow.

    Args:
        labs: how each lab's setting was changed. small: ask what a few hundred test images can settle.
    """
    shown = [width for width in LAB_WIDTHS if width in widths]
    steps = list(itertools.pairwise(shown)) or [(widths[0], widths[-1])]
    if small:
        return (*_small_widths(steps), *_small_nets(), _deeper(widths, depths, small=True))
    ladder = [steps[0][0], *(wider for _, wider in steps)]
    return (
        _ladder(
            steps,
            ladder,
            (
                *labs["001"],
                "at most 50 epochs and patience 5 on the validation loss (the lab's are not published)",
                *(() if len(shown) == 3 else ("other widths",)),
            ),
        ),
        Claim(
            id="C000-01",
            statement="A small MLP (128-64) classifies these images well: above 97.1 % test accuracy",
            parts=(part("128-64", against("lab-000", 0.97), delta=0.001),),
            published=published("000", "97.39 %", "one run; the last, not the best weights"),
            deviations=labs["000"],
            means=LEVEL,
            figure=FIGURE,
        ),
        Claim(
            id="C004-01",
            statement="An MLP (64-64) does equally well with SGD and with Adam, to within half a point",
            parts=(
                part("Adam - SGD", difference("lab-004-adam", "lab-004-sgd"), delta=HALF, kind="same"),
            ),
            published=published(
                "004",
                "97.8 % with Adam, 97.7 % with SGD",
                "one seed; best validation epoch quoted beside the test value",
            ),
            deviations=labs["004"],
            says=_equally("SGD and Adam do equally well", "SGD and Adam differ", "lab-004-sgd", "lab-004-adam"),
            means=OPTIMISER,
            figure=FIGURE,
        ),
        _deeper(widths, depths),
        *_wider(widths),
    )  # fmt: skip


def _ladder(steps: list[tuple[int, int]], ladder: list[int], deviations: tuple[str, ...]) -> Claim:
    reached = ", ".join(f"{{width-{width}}} with {width}" for width in ladder)
    return Claim(
        id="C001-01",
        statement=f"A wider hidden layer makes a better MLP: {' < '.join(map(str, ladder))} units",
        parts=tuple(part(f"width {b} above {a}", difference(f"width-{b}", f"width-{a}")) for a, b in steps),
        published=published("001", "69.92, 92.75 and 97.35 % at widths 3, 10 and 64", "one run"),
        deviations=deviations,
        says={
            "supported": f"Width pays: {reached} units in the one hidden layer.",
            "refuted": f"Width does not pay at every step: {reached} units in the one hidden layer.",
            "open": f"Whether width pays at every step is open: {reached} units in the one hidden layer.",
        },
        means=WIDTH,
        figure=FIGURE,
    )


def _equally(same: str, other: str, a: str, b: str) -> dict[Verdict, str]:
    numbers = f"{{{a}}} and {{{b}}}"
    return {"supported": f"{same}: {numbers}.", "refuted": f"{other}: {numbers}."}


def _deeper(widths: tuple[int, ...], depths: tuple[int, ...], *, small: bool = False) -> Claim:
    few, many = depths[:2]
    a, b = (f"depth-{d}" if (d, 64) not in {(1, w) for w in widths} else "width-64" for d in (few, many))
    if small:
        return Claim(
            id="capacity-depth-equal",
            statement=f"At width 64, {many} hidden layers are as accurate as {few}, to within two points",
            parts=(
                part(f"{many} - {few} layers", difference(b, a), delta=TWO_POINTS, kind="same"),
            ),
            says=_equally(
                f"{many} layers of 64 are no better than {few}, to within two points",
                f"{many} layers of 64 differ from {few}",
                b,
                a,
            ),
            means=DEPTH,
            figure=FIGURE,
        )  # fmt: skip
    return Claim(
        id="capacity-depth",
        statement=f"At width 64, {many} hidden layers are over half a point better than {few}",
        parts=(part(f"{many} - {few} layers", difference(b, a), delta=HALF),),
        says={
            "supported": f"Depth pays as well: at width 64 {many} layers gain {{size}}.",
            "refuted": f"Depth does not: at width 64 {many} layers are not half a point better than {few} ({{{b}}} and {{{a}}}).",
        },
        means=DEPTH,
        figure=FIGURE,
    )


def _wider(widths: tuple[int, ...]) -> list[Claim]:
    if len(widths) <= 3 or 64 not in widths[:-1]:
        return []
    largest = widths[-1]
    return [
        Claim(
            id="capacity-width",
            statement=f"Width still pays beyond 64: {largest} units are over half a point better",
            parts=(part(f"{largest} - 64", difference(f"width-{largest}", "width-64"), delta=HALF),),
            says={
                "supported": f"It pays beyond 64, too: {largest} units gain {{size}}.",
                "refuted": f"Beyond 64 units there is less than half a point to gain ({largest}: {{width-{largest}}}).",
            },
            means=WIDTH,
            figure=FIGURE,
        )
    ]


def _small_widths(steps: list[tuple[int, int]]) -> list[Claim]:
    """The narrowest is too narrow; from the next on two points are not to be had."""
    (few, enough), *rest = steps
    claims = [
        Claim(
            id="capacity-narrow",
            statement=f"{few} hidden units are too few: {enough} are over two points better",
            parts=(
                part(f"{enough} - {few}", difference(f"width-{enough}", f"width-{few}"), delta=TWO_POINTS),
            ),
            says={
                "supported": f"{few} hidden units are too few: {{width-{few}}} of the test images classified correctly, with "
                f"{enough} units {{width-{enough}}}.",
                "refuted": f"{few} hidden units are enough: {{width-{few}}} of the test images classified correctly, with "
                f"{enough} units {{width-{enough}}}.",
                "open": f"{few} hidden units classify {{width-{few}}} of the test images correctly, {enough} {{width-{enough}}}.",
            },
            means=WIDTH,
            figure=FIGURE,
        )
    ]
    return claims + [
        Claim(
            id=f"capacity-enough-{b}",
            statement=f"{a} hidden units are as accurate as {b}, to within two points",
            parts=(part(f"{b} - {a}", difference(f"width-{b}", f"width-{a}"), delta=TWO_POINTS, kind="same"),),
            says={
                "supported": f"{b} are no better than {a}, to within two points: {{width-{b}}}.",
                "refuted": f"{b} units differ from {a} by two points or more: {{width-{b}}}.",
            },
            means=WIDTH,
            figure=FIGURE,
        )
        for a, b in rest
    ]  # fmt: skip


def _small_nets() -> tuple[Claim, ...]:
    return (
        Claim(
            id="capacity-level",
            statement="A small MLP (128-64) classifies these images well: above 90 % test accuracy",
            parts=(part("128-64", against("lab-000", 0.89)),),
            means=LEVEL,
            figure=FIGURE,
        ),
        Claim(
            id="capacity-adam",
            statement="An MLP (64-64) is at most two points less accurate with Adam than with SGD",
            parts=(
                part(
                    "Adam - SGD",
                    difference("lab-004-adam", "lab-004-sgd"),
                    delta=TWO_POINTS,
                    kind="not less",
                ),
            ),
            means=OPTIMISER,
            figure=FIGURE,
        ),
    )
