"""What the tour claims: how far attacks get, and what a network notices."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import TWO_POINTS, part

ROBUST, AUROC = "robust accuracy", "AUROC"
TWENTY = 0.2
CURVE, SCORES, ROC = "accuracy-by-eps", "auroc", "roc"
LEFT_OUT = "classes left out"
ATTACKS = (
    "An attack changes every pixel by at most eps, in the direction in which the network's loss rises most. To a person the "
    "image looks the same, or noisy; the network may call it something else."
)
STEPS = (
    "FGSM follows the gradient once and in one large step. PGD takes ten small steps and looks at the gradient again after each, "
    "so it finds mistakes that one step misses: a network that withstands FGSM is not yet robust."
)
FOREIGN = (
    "A classifier has no output that says “none of these”, so a score of its outputs has to say how foreign an image "
    "looks. AUROC is the "
    "chance that a foreign image scores higher than a familiar one: 50 % is guessing, 100 % perfect."
)
SURE = (
    "One might think that the more foreign an image, the easier it is to notice. But a network can "
    "be very sure of itself far from everything that it learned: nothing has taught it otherwise."
)


def claims_of(radii: tuple[float, ...], sets: list[str]) -> tuple[Claim, ...]:
    """Return the claims that these radii and sets of foreign images allow.

    Args:
        radii: of the attacks, ascending after the 0 at the beginning. sets: of foreign images, in words.
    """
    low, high = (f"{eps * 255:.3g}" for eps in (min(radii[1:]), max(radii[1:])))
    claims = [_fooled(high), _steps(high)]
    if low != high:
        claims.insert(1, _small(low))
    if LEFT_OUT in sets:
        claims += [_noticed(), _photographs()]
    return (*claims, _detector(sets[0]))


def _fooled(high: str) -> Claim:
    before, after = "{pgd-0}", f"{{pgd-{high}}}"
    return Claim(
        id="tour-fooled",
        statement=f"With pixels changed by at most {high}/255, PGD lowers the accuracy by over 20 points",
        parts=(
            part("before - after", difference("pgd-0", f"pgd-{high}"), measure=ROBUST, delta=TWENTY),
        ),
        says={
            "supported": f"Easily: with pixels changed by at most {high}/255, PGD lowers the accuracy from {before} to {after}.",
            "refuted": f"Not easily: with pixels changed by at most {high}/255, PGD leaves {after} of {before}.",
            "open": f"With pixels changed by at most {high}/255, PGD lowers the accuracy from {before} to {after}, which may be "
            "less or more than 20 points.",
        },
        means=ATTACKS,
        figure=CURVE,
    )  # fmt: skip


def _small(low: str) -> Claim:
    return Claim(
        id="tour-small",
        statement=f"At {low}/255 PGD leaves the accuracy the same, to within two points",
        parts=(
            part(
                "after - before",
                difference(f"pgd-{low}", "pgd-0"),
                measure=ROBUST,
                delta=TWO_POINTS,
                kind="same",
            ),
        ),
        says={
            "supported": f"At {low}/255 the accuracy stays the same, to within two points ({{pgd-{low}}}).",
            "refuted": f"Even at {low}/255 the accuracy falls by {{size}}.",
        },
        means=ATTACKS,
        figure=CURVE,
    )


def _steps(high: str) -> Claim:
    return Claim(
        id="tour-steps",
        statement=f"At {high}/255 ten steps of PGD cost over two points more accuracy than the single step of FGSM",
        parts=(
            part(
                "FGSM - PGD",
                difference(f"fgsm-{high}", f"pgd-{high}"),
                measure=ROBUST,
                delta=TWO_POINTS,
            ),
        ),
        means=STEPS,
        figure=CURVE,
    )


def _noticed() -> Claim:
    found = f"{{max-logit {LEFT_OUT}}}"
    return Claim(
        id="tour-noticed",
        statement="The network detects classes that it never learned: the largest logit has an AUROC above 90 %",
        parts=(part("AUROC", against(f"max-logit {LEFT_OUT}", 0.89), measure=AUROC),),
        says={
            "supported": f"It notices classes that it never learned (AUROC {found}).",
            "refuted": f"It hardly notices classes that it never learned (AUROC {found}; guessing: 50 %).",
            "open": f"It notices classes that it never learned with an AUROC of {found}, which may be below or above 90 %.",
        },
        means=FOREIGN,
        figure=ROC,
    )


def _photographs() -> Claim:
    photographs, left_out = "{max-logit photographs}", f"{{max-logit {LEFT_OUT}}}"
    return Claim(
        id="tour-photographs",
        statement=f"Photographs are at most two points easier to detect than {LEFT_OUT}, though they look more foreign",
        parts=(
            part(
                f"{LEFT_OUT} - photographs",
                difference(f"max-logit {LEFT_OUT}", "max-logit photographs"),
                measure=AUROC,
                delta=TWO_POINTS,
                kind="not less",
            ),
        ),
        reach="how foreign photographs look differs by tens of points from seed to seed; take more seeds",
        says={
            "supported": f"Photographs are no easier to notice, though they look more foreign ({photographs}).",
            "refuted": f"Photographs are easier to notice ({photographs} against {left_out}).",
            "open": f"For photographs, which look more foreign, it is {photographs}; whether they are easier or harder to "
            "notice is open.",
        },
        means=SURE,
        figure=SCORES,
    )


def _detector(name: str) -> Claim:
    return Claim(
        id="tour-detector",
        statement=f"The largest logit detects {name} as well as the largest softmax probability does, to within two points",
        parts=(
            part(
                "max logit - max softmax",
                difference(f"max-logit {name}", f"max-softmax {name}"),
                measure=AUROC,
                delta=TWO_POINTS,
                kind="same",
            ),
        ),
        means=FOREIGN,
        figure=SCORES,
    )
