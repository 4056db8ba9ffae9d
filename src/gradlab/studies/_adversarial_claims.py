"""What is claimed about adversarial training, by four labs and by ourselves, each as a comparison fixed before the runs."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._adversarial_arms import Plan, level
from gradlab.studies._adversarial_labs import CURVE, JUDGED, ROBUST, TEN, TRADE, claims_of_labs, sensitive
from gradlab.studies._shared import TWO_POINTS, part

FEW = "robust-accuracy-by-epoch"
OVERFITS = (
    "A network can learn its training images together with their attacks by heart. Robust accuracy on other images then falls "
    "while that on training images rises, more so than ordinary accuracy does, and the best epoch is not the last."
)


def claims_of(plan: Plan, *, small: bool, deviations: tuple[str, ...]) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        small: ask what a few hundred test images can settle. deviations: from the labs' settings.
    """
    eps, near = level(plan.eps), level(plan.near)
    own = (_robust(eps), _cost(), _collapse(eps), _overfitting(eps))
    if small:
        return (*own[:2], replace(sensitive(near), deviations=deviations), _judged(eps), own[2])
    told = tuple(
        replace(one, deviations=deviations)
        for one in claims_of_labs(near, eps, with_fifth="fifth" in plan.names)
    )
    return (*own[:2], _judged(eps), *own[2:], *told)


def _robust(eps: str) -> Claim:
    numbers = f"{{pgd-pgd-{eps}}} of the test images withstand PGD at {eps}/255, without a defence {{plain-pgd-{eps}}}"
    certified = (
        "All attacks of the certificate together, on one network of each, leave {pgd-certificate}, without a defence "
        "{plain-certificate}."
    )
    return Claim(
        id="adversarial-robust",
        statement=f"Training on PGD leaves over ten points more accuracy under PGD at {eps}/255 than ordinary training does",
        parts=(
            part("PGD training - none", difference(f"pgd-pgd-{eps}", f"plain-pgd-{eps}"), measure=ROBUST, delta=TEN),
        ),
        says={
            "supported": f"It buys robustness: after training on PGD {numbers}. {certified}",
            "refuted": f"It buys less than ten points of robustness: after training on PGD {numbers}. {certified}",
            "open": f"After training on PGD {numbers}; whether that is ten points more is open. {certified}",
        },
        means=TRADE,
        figure=CURVE,
    )  # fmt: skip


def _cost() -> Claim:
    numbers = "{pgd} against {plain} of the test images as they are"
    return Claim(
        id="adversarial-cost",
        statement="Training on PGD costs over two points of accuracy on images that nobody attacks",
        parts=(part("none - PGD training", difference("plain", "pgd"), delta=TWO_POINTS, better="neither"),),
        says={
            "supported": f"It costs accuracy: {numbers}.",
            "refuted": f"It costs less than two points of accuracy: {numbers}.",
            "open": f"What it costs in accuracy is open: {numbers}.",
        },
        means=TRADE,
        figure=CURVE,
    )


def _judged(eps: str) -> Claim:
    return Claim(
        id="adversarial-judged",
        statement=f"Trained on FGSM for one half, a network keeps over two points more accuracy under FGSM at {eps}/255 than "
        "under PGD",
        parts=(
            part(
                "FGSM - PGD", difference(f"half-fgsm-{eps}", f"half-pgd-{eps}"), measure=ROBUST, delta=TWO_POINTS,
                better="neither",
            ),
        ),
        says={
            "supported": f"Judged by FGSM alone, training on FGSM looks better than it is: {{half-fgsm-{eps}}}, and "
            f"{{half-pgd-{eps}}} under PGD.",
        },
        means=JUDGED,
        figure=CURVE,
    )  # fmt: skip


def _collapse(eps: str) -> Claim:
    return Claim(
        id="adversarial-collapse",
        statement=f"On few images seen often, fast FGSM training ends over ten points below PGD training under PGD at {eps}/255",
        parts=(
            part(
                "PGD - fast",
                difference(f"few-pgd-pgd-{eps}", f"few-fast-pgd-{eps}"),
                measure=ROBUST,
                delta=TEN,
            ),
        ),
        says={
            "supported": f"Fast training fails on few images: {{few-fast-pgd-{eps}}} withstand PGD, after training on PGD "
            f"{{few-pgd-pgd-{eps}}}.",
        },
        means=JUDGED,
        figure=FEW,
    )


def _overfitting(eps: str) -> Claim:
    return Claim(
        id="adversarial-overfitting",
        statement="On few images the epoch that is best under PGD on validation images keeps over two points more robust "
        "accuracy than the last epoch",
        parts=(
            part(
                "best - last",
                difference(f"few-best-pgd-{eps}", f"few-pgd-pgd-{eps}"),
                measure=ROBUST,
                delta=TWO_POINTS,
            ),
        ),
        says={
            "supported": f"On few images stopping at the best epoch keeps {{few-best-pgd-{eps}}} instead of "
            f"{{few-pgd-pgd-{eps}}}.",
        },
        means=OVERFITS,
        figure=FEW,
    )
