"""What is claimed about optimisers, each as a comparison fixed before the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import TWO_POINTS, part

HALF, TWENTY = 0.005, 0.2
FIGURE = "accuracy-by-rate"
CHOSEN = (
    "Each optimiser may choose its learning rate on validation images, so that none is judged at a rate that suits another. "
    "What is left between them is the optimiser's own share."
)
RATE = (
    "A rate that is too small does not get far enough in the time given; one that is too large jumps about or never settles. "
    "A comparison at one common rate can therefore say more about the rate than about the optimisers."
)
CLOSE = "a few hundred test images hardly show a difference of two points; mnist has 10,000"
WORDS = {"momentum": "momentum", "adam": "Adam", "adamw": "AdamW", "sgd": "plain SGD"}


def claims_of(grids: Mapping[str, tuple[float, ...]], *, small: bool = False) -> tuple[Claim, ...]:
    """Return the claims; `grids` are the rates that each optimiser tries.

    Args:
        small: ask what a few hundred test images can settle: differences of two points and more.
    """
    if small:
        return _small(grids)
    lowest = min(grids["sgd"])
    points = "half a point"
    return (
        Claim(
            id="optimisers-adam",
            statement=f"Each at its chosen rate, Adam is over {points} more accurate than plain SGD",
            parts=(part("Adam - SGD", difference("adam-best", "sgd-best"), delta=HALF),),
            says={
                "supported": "Each at its chosen rate, Adam is better than plain SGD by {size}: {adam-best} against "
                "{sgd-best} of "
                "the test images classified correctly.",
                "refuted": "Each at its chosen rate, Adam ({adam-best}) is not better than plain SGD ({sgd-best}) by "
                "half a point.",
                "open": "Each at its chosen rate, Adam reaches {adam-best} and plain SGD {sgd-best}; whether that is "
                "half a point "
                "better is open.",
            },
            means=CHOSEN,
            figure=FIGURE,
        ),
        _equal("adam-best", "momentum-best", "optimisers-momentum", HALF, points),
        _equal("adamw-best", "adam-best", "optimisers-adamw", HALF, points),
        replace(
            _wrong_rate("sgd", lowest, HALF, points),
            id="optimisers-rate",
            statement=f"A wrong rate costs over {points}: plain SGD at {lowest:g} against SGD at its chosen rate",
        ),
    )  # fmt: skip


def _equal(a: str, b: str, name: str, delta: float, points: str) -> Claim:
    one, other = (WORDS[arm.removesuffix("-best")] for arm in (a, b))
    pair = (other, one) if other == "momentum" else (one, other)
    return Claim(
        id=name,
        reach=CLOSE if delta == TWO_POINTS else "",
        statement=f"Each at its chosen rate, {pair[0]} and {pair[1]} are equally accurate, to within {points}",
        parts=(part(f"{one} - {other}", difference(a, b), delta=delta, kind="same"),),
        says={
            "supported": f"Equally accurate to within {points}: {{subjects}}.",
            "refuted": f"{pair[0]} and {pair[1]} differ by {points} or more: {{{a}}} for {one}, {{{b}}} for {other}.",
        },
        subject=f"{pair[0]} and {pair[1]}",
        means=CHOSEN,
        figure=FIGURE,
    )


def _wrong_rate(optimiser: str, rate: float, delta: float, points: str) -> Claim:
    word, wrong = WORDS[optimiser], f"{optimiser}-{rate:g}"
    return Claim(
        id=f"optimisers-high-{optimiser}",
        statement=f"Too high a rate costs {word} over {points}: {rate:g} against its chosen one",
        parts=(part(f"chosen - {rate:g}", difference(f"{optimiser}-best", wrong), delta=delta),),
        says={
            "supported": "A wrong rate costs more: {subjects}.",
            "refuted": f"A wrong rate costs {word} less than {points}: at {rate:g} it still reaches {{{wrong}}}.",
        },
        subject=f"{word} at {rate:g} reaches {{{wrong}}} instead of {{{optimiser}-best}}",
        means=RATE,
        figure=FIGURE,
    )


def _small(grids: Mapping[str, tuple[float, ...]]) -> tuple[Claim, ...]:
    middle, highest = sorted(grids["adam"])[len(grids["adam"]) // 2], max(grids["adam"])
    return (
        Claim(
            id="optimisers-sgd-equal",
            statement="Each at its chosen rate, plain SGD and Adam are equally accurate, to within two points",
            parts=(part("Adam - SGD", difference("adam-best", "sgd-best"), delta=TWO_POINTS, kind="same"),),
            says={
                "supported": "Each at its chosen rate, plain SGD and Adam do equally well, to within two points: "
                "{sgd-best} and {adam-best} "
                "of the test images classified correctly.",
                "refuted": "Even at their chosen rates plain SGD ({sgd-best}) and Adam ({adam-best}) differ.",
                "open": "Each at its chosen rate, plain SGD reaches {sgd-best} and Adam {adam-best}; whether they are equal to "
                "within two points is open.",
            },
            means=CHOSEN,
            figure=FIGURE,
        ),
        _equal("adam-best", "momentum-best", "optimisers-momentum-equal", TWO_POINTS, "two points"),
        *(_wrong_rate(one, max(grids[one]), TWENTY, "20 points") for one in ("sgd", "momentum")),
        Claim(
            id="optimisers-adam-forgives",
            statement=f"Adam tolerates too high a rate: at {highest:g} it loses less than two points against its chosen one",
            parts=(
                part(
                    f"{highest:g} - chosen",
                    difference(f"adam-{highest:g}", "adam-best"),
                    delta=TWO_POINTS,
                    kind="not less",
                ),
            ),
            says={"supported": f"Adam tolerates its highest rate, {highest:g}: {{adam-{highest:g}}}."},
            reach=CLOSE,
            means=RATE,
            figure=FIGURE,
        ),
        Claim(
            id="optimisers-decay",
            statement=f"At one and the same rate, {middle:g}, AdamW with its weight decay is as accurate as Adam, to "
            "within two points",
            parts=(part("AdamW - Adam", difference(f"adamw-{middle:g}", f"adam-{middle:g}"), delta=TWO_POINTS, kind="same"),),
            means=CHOSEN,
            figure=FIGURE,
        ),
    )  # fmt: skip
