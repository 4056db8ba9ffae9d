"""What the labs claim about residual MLPs, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import Contrast, against, difference
from gradlab.studies._residual_claims_003 import CURVE, DEEP, FLOWS, GRADIENTS, SKIP, claims_003
from gradlab.studies._residual_settings import Setting
from gradlab.studies._shared import part, published

LEARNT = 0.9
"""Test accuracy from which a net counts as having learned."""
EPOCHS = (
    "The stopping rule ends the training when the validation loss no longer falls. Fewer epochs are no gain in themselves: an "
    "epoch of a larger network takes longer."
)
LEARNING = "learning-curves"


def claims_of(setting: Setting, *, classes: int, small: bool = False) -> tuple[Claim, ...]:
    """Return the claims of a setting, the main one first.

    Args:
        classes: of the data; one over them is chance. small: ask what a few hundred test images can settle.
    """
    if setting.name == "003":
        return claims_003(setting, classes, small)
    if setting.name == "004":
        return _claims_004(setting, f"{100 / classes:.3g} %")
    return _claims_000() if setting.name == "000" else _claims_001()


def _claims_004(setting: Setting, chance: str) -> tuple[Claim, ...]:
    one_seed = "one seed; best validation epoch quoted beside the test value"
    deep = max(setting.depths)
    fails = part(f"depth {deep}", Contrast(weights={f"plain-{deep}": -1.0}, constant=LEARNT))
    return (
        Claim(
            id="C004-03",
            statement="Residual MLPs learn at any depth: above 91 % test accuracy at every one",
            parts=tuple(part(f"depth {d}", against(f"residual2-{d}", LEARNT)) for d in setting.depths),
            published=published("004", ".976 .979 .979 at depths 10 20 30", one_seed),
            says={
                "supported": f"Residual MLPs learn at every depth tried: {{residual2-{deep}}} of the test images classified "
                f"correctly even at {deep} layers.",
                "refuted": f"Residual MLPs do not reach 91 % at every depth: {{residual2-{deep}}} at {deep} layers.",
                "open": f"At depth {deep} residual MLPs classify {{residual2-{deep}}} of the test images correctly.",
            },
            means=SKIP,
            figure=CURVE,
        ),
        Claim(
            id="C004-02",
            statement=f"A deep plain MLP fails: at depth {deep} it stays below 89 % test accuracy",
            parts=(fails,),
            published=published(
                "004",
                "plain .973 .963 .114 at depths 10 20 30",
                f"{one_seed}; its text speaks of all three depths, its table shows failure at 30 alone",
            ),
            says={
                "supported": f"A plain one of {deep} layers fails: {{plain-{deep}}} (chance: {chance}).",
                "refuted": f"A plain one of {deep} layers learns as well: {{plain-{deep}}}.",
                "open": f"A plain one of {deep} layers reaches {{plain-{deep}}} on average.",
            },
            means=DEEP,
            figure=CURVE,
        ),
    )


def _claims_000() -> tuple[Claim, ...]:
    one_run = "one run; nets differ in width, depth and size; the last, not the best weights"
    both = "{residual} against {mlp}"
    stops = "{residual: epochs trained} against {mlp: epochs trained}"
    return (
        Claim(
            id="C000-02",
            statement="The residual MLP is better than the plain 128-64 and stops at least one epoch sooner",
            parts=(
                part("accuracy", difference("residual", "mlp"), delta=0.002),
                part("epochs", difference("mlp", "residual"), measure="epochs trained", delta=1.0),
            ),
            published=published("000", "97.73 against 97.39 %, 11 against 17 epochs", one_run),
            says={
                "supported": f"A residual MLP is better than the plain 128-64, {both}, and stops sooner: {stops}.",
                "refuted": f"A residual MLP is not both better than the plain 128-64 and sooner to stop: {both}; {stops}.",
                "open": f"Against the plain 128-64 a residual MLP classifies {both} of the test images correctly, and "
                f"stops after {stops}; whether it is better and stops sooner is open.",
            },
            means=EPOCHS,
            figure=LEARNING,
        ),
        Claim(
            id="C000-02m",
            statement="Against its plain twin, equal in all but the skip, the residual MLP is better",
            parts=(part("accuracy", difference("residual", "plain"), delta=0.002),),
            says={
                "supported": "The skip alone, with all else equal, gains {size}.",
                "refuted": "The skip alone, with all else equal, does not make it better: {residual} with, {plain} without.",
                "open": "What the skip alone does is open: {residual} with, {plain} without.",
            },
            means=SKIP,
            figure=LEARNING,
        ),
        Claim(
            id="C000-03",
            statement="Residual connections give a larger gradient in the first layer after training",
            parts=(
                part(
                    "first layer",
                    difference("residual", "mlp"),
                    measure="first-layer gradient at the end",
                    delta=0.1,
                ),
            ),
            published=published(
                "000",
                "norm .4660 against .1896",
                "each net on a different batch after a different number of epochs; shallow nets",
            ),
            means=FLOWS,
            figure=GRADIENTS,
        ),
    )


def _claims_001() -> tuple[Claim, ...]:
    protocol = "one run; the residual net has three layers more; two runs of one net differ by half a point"
    widths = (10, 64)
    stops = " and ".join(
        f"{{residual-{w}: epochs trained}} against {{shallow-{w}: epochs trained}} at width {w}"
        for w in widths
    )
    reached = " and ".join(f"{{residual-{w}}} against {{shallow-{w}}} at width {w}" for w in widths)
    epochs = [
        part(f"width {w}", difference(f"shallow-{w}", f"residual-{w}"), measure="epochs trained", delta=1.0)
        for w in widths
    ]
    quality = [part(f"width {w}", difference(f"residual-{w}", f"shallow-{w}"), delta=0.005) for w in widths]
    return (
        Claim(
            id="C001-02",
            statement="A residual MLP needs fewer epochs than one hidden layer of the same width",
            parts=tuple(epochs),
            published=published("001", "11 against 29 and 9 against 24 epochs", protocol),
            says={
                "supported": f"Residual MLPs stop sooner than one hidden layer of the same width: {stops}.",
                "refuted": f"Residual MLPs do not stop sooner than one hidden layer of the same width: {stops}.",
                "open": f"Whether residual MLPs stop sooner than one hidden layer of the same width is open: {stops}.",
            },
            means=EPOCHS,
            figure=LEARNING,
        ),
        Claim(
            id="C001-02b",
            statement="A residual MLP beats one hidden layer of its width by half a point (the lab says: same quality)",
            parts=tuple(quality),
            published=published("001", "94.59 against 93.22 and 97.09 against 97.53 %", protocol),
            says={
                "supported": f"They are better, too: {reached}.",
                "refuted": f"They are not half a point better at both widths: {reached}.",
                "open": f"They reach {reached}; whether that is half a point better is open.",
            },
            means=SKIP,
            figure=LEARNING,
            predicts="refuted",
        ),
    )
