"""What the study of ODIN claims: the published grid's sentence, what the temperature does, and what tuning is worth."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import POINT, part, published

AUROC, CURVE, HEAT = "AUROC", "eps", "auroc"
TUNED = "odin, tuned"
MEANS = (
    "A temperature makes the softmax nearly linear in the logits: it then says by how much the largest logit exceeds their mean. "
    "The step needs a second pass, with a gradient, through the network."
)


def claims_of(hottest: float, largest: float, near: str) -> tuple[Claim, ...]:
    """Return the claims; δ is a point of AUROC: all arms see the same networks and images, so that small differences are sure.

    Args:
        hottest: the largest temperature. largest: the largest step. near: what the near set is called.
    """
    return _temperature(hottest, near), _step(hottest, largest, near), _tuned(near)


def _temperature(hottest: float, near: str) -> Claim:
    hot, plain = f"T-{hottest:g} eps-0 {near}", f"T-1 eps-0 {near}"
    numbers = f"{{{hot}}} against {{{plain}}} AUROC on {near}"
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


def _step(hottest: float, largest: float, near: str) -> Claim:
    still, moved = f"T-{hottest:g} eps-0 {near}", f"T-{hottest:g} eps-{largest:g} {near}"
    numbers = f"{{{moved}}} with a step of {largest:g}, {{{still}}} without"
    return Claim(
        id="C004-18",
        statement=f"At temperature {hottest:g} no step is at least as good as a step of {largest:g} on {near}, to within a point",
        parts=(
            part(
                "without - with a step", difference(still, moved), measure=AUROC, delta=POINT, kind="not less"
            ),
        ),
        published=published(
            "004",
            "T = 50: AUROC 0.862, 0.860, 0.858 and 0.853 at eps 0, 0.001, 0.002 and 0.004; T = 1, eps = 0: 0.809",
            "one run; temperature and eps chosen on the very test images that are reported, eps in units of normalised images",
        ),
        says={
            "supported": f"At that temperature a step on the image adds less than a point, or harms: {numbers}.",
            "refuted": f"At that temperature a step on the image adds over a point: {numbers}.",
            "open": f"Whether a step on the image adds a point is open: {numbers}.",
        },
        means=MEANS,
        figure=CURVE,
    )


def _tuned(near: str) -> Claim:
    chosen, plain = f"{TUNED} {near}", f"max-softmax {near}"
    numbers = f"{{{chosen}}} against {{{plain}}}"
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
