"""What the study of ODIN claims: the published grid's sentence, what the temperature does, and what tuning is worth."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._foreign import NOISE
from gradlab.studies._shared import POINT, part, published

AUROC, CURVE, HEAT = "AUROC", "eps", "auroc"
TUNED = "odin, tuned"
CHANGE = "{estimate}, between {low} and {high}"
MEANS = (
    "A temperature makes the softmax nearly linear in the logits: it then says by how much the largest logit exceeds their mean. "
    "The step needs a second pass, with a gradient, through the network."
)
FAR_MEANS = (
    "The step follows the gradient of the network's confidence. What it gains depends on the foreign images: of those whose "
    "pixels have little in common with the familiar ones it may lower the confidence, while near ones gain as much as these."
)


def claims_of(hottest: float, steps: tuple[float, ...], sets: list[str]) -> tuple[Claim, ...]:
    """Return the claims; δ is a point of AUROC: all arms see the same networks and images, so that small differences are sure.

    Args:
        hottest: the largest temperature. steps: above 0; without any nothing is claimed of steps. sets: what the foreign
            sets are called, the nearest first, at least two.
    """
    near = sets[0]
    moved = (_step(hottest, steps, near), _step_far(hottest, max(steps), sets[1])) if steps else ()
    return (_temperature(hottest, near), *moved, _tuned(near))


def _temperature(hottest: float, near: str) -> Claim:
    hot, plain = f"T-{hottest:g} eps-0 {near}", f"T-1 eps-0 {near}"
    numbers = f"{CHANGE}, from {{{plain}}} to {{{hot}}} AUROC on {near}"
    return Claim(
        id="odin-temperature",
        statement=f"At temperature {hottest:g} {near} are detected over a point of AUROC better than at temperature 1",
        parts=(part(f"T {hottest:g} - T 1", difference(hot, plain), measure=AUROC, delta=POINT),),
        says={
            "supported": f"A high temperature helps: {numbers}.",
            "refuted": f"A high temperature does not help by a point: {numbers}.",
            "open": f"Whether a high temperature helps by a point is open: {numbers}.",
        },
        means=MEANS,
        figure=HEAT,
    )


def _arm(hottest: float, eps: float, told: str) -> str:
    return f"T-{hottest:g} eps-{eps:g} {told}"


def _step(hottest: float, steps: tuple[float, ...], near: str) -> Claim:
    still, moved = _arm(hottest, 0, near), {one: _arm(hottest, one, near) for one in steps}
    numbers = f"{{{still}}} without, " + ", ".join(f"{{{arm}}} with {one:g}" for one, arm in moved.items())
    told = " or ".join(f"{one:g}" for one in steps)
    return Claim(
        id="C004-18",
        statement=f"At temperature {hottest:g} no step is at least as good as a step of {told} on {near}, to within a point",
        parts=tuple(
            part(f"none - {one:g}", difference(still, arm), measure=AUROC, delta=POINT, kind="not less")
            for one, arm in moved.items()
        ),
        published=published(
            "004",
            "T = 50: AUROC 0.862, 0.860, 0.858 and 0.853 at eps 0, 0.001, 0.002 and 0.004; T = 1, eps = 0: 0.809",
            "one run; temperature and eps chosen on the very test images that are reported, eps in units of normalised images",
        ),
        says={
            "supported": f"At temperature {hottest:g} a step on the image adds less than a point on {near}, or harms: {numbers}.",
            "refuted": f"At temperature {hottest:g} a step on the image adds over a point on {near}: {numbers}.",
            "open": f"Whether a step on the image adds a point on {near} is open: {numbers}.",
        },
        means=MEANS,
        figure=CURVE,
    )


def _step_far(hottest: float, largest: float, far: str) -> Claim:
    arms = [_arm(hottest, one, far) for one in (largest, 0)]
    numbers = f"{{{arms[0]}}} with a step of {largest:g}, {{{arms[1]}}} without"
    if far != NOISE:
        still, moved = (_arm(hottest, one, NOISE) for one in (0, largest))
        numbers += f" (on noise {{{moved}}} and {{{still}}})"
    return Claim(
        id="odin-step-far",
        statement=f"At temperature {hottest:g} {far} are detected over a point of AUROC better with a step of {largest:g} than "
        "without",
        parts=(part("with - without a step", difference(*arms), measure=AUROC, delta=POINT),),
        says={
            "supported": f"On {far} the step helps: {numbers}.",
            "refuted": f"On {far} the step does not add a point: {numbers}.",
            "open": f"Whether the step adds a point on {far} is open: {numbers}.",
        },
        means=FAR_MEANS,
        figure=CURVE,
    )


def _tuned(near: str) -> Claim:
    chosen, plain = f"{TUNED} {near}", f"max-softmax {near}"
    numbers = f"{CHANGE}, {{{chosen}}} against {{{plain}}} on {near}"
    return Claim(
        id="odin-tuned",
        statement=f"Tuned on validation images, ODIN detects {near} over a point of AUROC better than the maximum softmax",
        parts=(part("tuned - max softmax", difference(chosen, plain), measure=AUROC, delta=POINT),),
        says={
            "supported": f"Tuned on validation images, ODIN is better than the maximum softmax: {numbers}.",
            "refuted": f"Tuned on validation images, ODIN is not a point better than the maximum softmax: {numbers}.",
            "open": f"Whether ODIN, tuned on validation images, is a point better than the maximum softmax is open: {numbers}.",
        },
        means=MEANS,
        figure=HEAT,
    )
