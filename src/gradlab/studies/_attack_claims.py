"""What the study of attacks claims: each against a control, or against a weaker one of its kind."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._attack_shared import CURVE, ROBUST
from gradlab.studies._shared import TWO_POINTS, part

TEN, TWENTY = 0.1, 0.2
CONTROL = (
    "Networks are wrong on some images anyway, and noise makes them wrong on a few more. An attack is worth its name only if it "
    "does much more than noise of the same size."
)
STEPS = (
    "One step assumes that the loss rises evenly along the whole way. Many small steps look at the gradient again, so they find "
    "mistakes that one step misses, and a network that withstands one step is not yet robust."
)
OUTPUTS = (
    "An attack that sees the outputs alone has to guess the direction that a gradient shows. If it did better than gradients, "
    "the gradients would be hiding something."
)


def claims_of(radii: tuple[float, ...], *, with_autoattack: bool) -> tuple[Claim, ...]:
    """Return the claims at the largest radius.

    Args:
        radii: of the attacks, ascending after the 0 at the beginning.
    """
    high = f"{max(radii) * 255:.3g}"
    claims = (_noise(high), _steps(high), _outputs(high), _apgd(high))
    return (*claims, _autoattack(high)) if with_autoattack else claims


def _noise(high: str) -> Claim:
    numbers = (
        f"PGD leaves {{pgd-{high}}} of the images right, noise of the same size {{noise-{high}}}; without an attack it is "
        "{pgd-0}"
    )
    return Claim(
        id="attacks-noise",
        statement=f"At {high}/255 PGD leaves over 20 points fewer images right than noise of the same size",
        parts=(
            part(
                "noise - PGD",
                difference(f"noise-{high}", f"pgd-{high}"),
                measure=ROBUST,
                delta=TWENTY,
                better="neither",
            ),
        ),
        says={
            "supported": f"With pixels changed by at most {high}/255, {numbers}.",
            "refuted": f"Attacks hardly do more than noise: with pixels changed by at most {high}/255, {numbers}.",
            "open": f"With pixels changed by at most {high}/255, {numbers}.",
        },
        means=CONTROL,
        figure=CURVE,
    )


def _steps(high: str) -> Claim:
    return Claim(
        id="attacks-steps",
        statement=f"At {high}/255 the single step of FGSM leaves over ten points more images right than 20 steps of PGD",
        parts=(
            part(
                "FGSM - PGD",
                difference(f"fgsm-{high}", f"pgd-{high}"),
                measure=ROBUST,
                delta=TEN,
                better="neither",
            ),
        ),
        says={
            "supported": f"One step is much weaker than twenty: FGSM leaves {{fgsm-{high}}}.",
            "refuted": f"One step does nearly as much as twenty: FGSM leaves {{fgsm-{high}}}.",
        },
        means=STEPS,
        figure=CURVE,
    )


def _outputs(high: str) -> Claim:
    return Claim(
        id="attacks-outputs",
        statement=f"At {high}/255 attacks that see the outputs alone cost at most two points more accuracy than PGD",
        parts=tuple(
            part(
                f"{label} - PGD",
                difference(f"{name}-{high}", f"pgd-{high}"),
                measure=ROBUST,
                delta=TWO_POINTS,
                kind="not less",
                better="neither",
            )
            for name, label in (("square", "Square"), ("genetic", "GenAttack"))
        ),
        says={
            "supported": f"Without gradients Square leaves {{square-{high}}} and GenAttack {{genetic-{high}}}.",
            "refuted": f"An attack without gradients beats PGD, so the gradients hide something: Square leaves "
            f"{{square-{high}}}, GenAttack {{genetic-{high}}}.",
        },
        means=OUTPUTS,
        figure=CURVE,
    )  # fmt: skip


def _apgd(high: str) -> Claim:
    return Claim(
        id="attacks-step-sizes",
        statement=f"At {high}/255 Auto-PGD, which chooses its steps, leaves the accuracy the same as PGD, to within two points",
        parts=(
            part(
                "Auto-PGD - PGD",
                difference(f"apgd-{high}", f"pgd-{high}"),
                measure=ROBUST,
                delta=TWO_POINTS,
                kind="same",
                better="neither",
            ),
        ),
        means=STEPS,
        figure=CURVE,
    )


def _autoattack(high: str) -> Claim:
    return Claim(
        id="attacks-ensemble",
        statement=f"At {high}/255 AutoAttack costs at most two points more accuracy than 100 steps of PGD",
        parts=(
            part(
                "AutoAttack - PGD",
                difference(f"autoattack-{high}", f"pgd100-{high}"),
                measure=ROBUST,
                delta=TWO_POINTS,
                kind="not less",
                better="neither",
            ),
        ),
        reach="on 100 images a seed less than ten points are seen only where both agree on nearly all of them",
        means=STEPS,
        figure=CURVE,
    )
