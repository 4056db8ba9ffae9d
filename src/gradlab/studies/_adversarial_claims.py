"""What is claimed about adversarial training, by four labs and by ourselves, each as a comparison fixed before the runs."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._adversarial_arms import Plan, level
from gradlab.studies._shared import POINT, TWO_POINTS, part, published

ROBUST, AUROC = "robust accuracy", "AUROC"
FIVE, TEN, TWENTY = 0.05, 0.1, 0.2
"""Differences under attack that 200 to 500 images a seed can settle."""
CURVE, FEW = "accuracy-by-eps", "robust-accuracy-by-epoch"
TRADE = (
    "Adversarial training attacks every batch and learns from what comes out. The network has to be right in a whole ball "
    "around each image, which is harder than to be right at the image; some accuracy on images as they are is the price."
)
JUDGED = (
    "FGSM takes one step, PGD twenty smaller ones. A network that was trained on one step may have learned to spoil that step "
    "alone, and then it withstands FGSM and nothing else. So robustness is judged by a stronger attack than the one of training."
)
FRAGILE = (
    "An ordinary network has no reason to be right beside its images. A change that no eye sees moves many pixels in the "
    "direction that matters to the network, and their effects add up."
)
OVERFITS = (
    "A network can learn its training images together with their attacks by heart. Robust accuracy on other images then falls "
    "while that on training images rises, more so than ordinary accuracy does, and the best epoch is not the last."
)
UNKNOWN = (
    "A score of the outputs says how foreign an image looks; AUROC is the chance that a foreign image scores higher than a "
    "familiar one. Whether adversarial training helps there, the published labs disagree."
)


def claims_of(plan: Plan, *, small: bool, deviations: tuple[str, ...]) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        small: ask what a few hundred test images can settle. deviations: from the labs' settings.
    """
    eps, near = level(plan.eps), level(plan.near)
    own = (_robust(eps), _cost(), _collapse(eps), _overfitting(eps))
    if small:
        return (*own[:2], replace(_sensitive(near), deviations=deviations), _judged(eps), own[2])
    labs: tuple[Claim, ...] = (
        _sensitive(near),
        _not_fully(eps),
        _both_fool(eps),
        _two_radii(near, eps),
        _foreign(),
    )
    labs += (_less_foreign(),) if "fifth" in plan.names else ()
    told = tuple(replace(one, deviations=deviations) for one in labs)
    return (*own[:2], _judged(eps), *own[2:], *told)


def _robust(eps: str) -> Claim:
    numbers = f"{{pgd-pgd-{eps}}} of the test images withstand PGD at {eps}/255, without a defence {{plain-pgd-{eps}}}"
    return Claim(
        id="adversarial-robust",
        statement=f"Training on PGD leaves over ten points more accuracy under PGD at {eps}/255 than ordinary training does",
        parts=(
            part("PGD training - none", difference(f"pgd-pgd-{eps}", f"plain-pgd-{eps}"), measure=ROBUST, delta=TEN),
        ),
        says={
            "supported": f"It buys robustness: after training on PGD {numbers}.",
            "refuted": f"It buys less than ten points of robustness: after training on PGD {numbers}.",
            "open": f"After training on PGD {numbers}; whether that is ten points more is open.",
        },
        means=TRADE,
        figure=CURVE,
    )  # fmt: skip


def _cost() -> Claim:
    numbers = "{pgd} against {plain} of the test images as they are"
    return Claim(
        id="adversarial-cost",
        statement="Training on PGD costs over two points of accuracy on images that nobody attacks",
        parts=(part("none - PGD training", difference("plain", "pgd"), delta=TWO_POINTS),),
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
            part("FGSM - PGD", difference(f"half-fgsm-{eps}", f"half-pgd-{eps}"), measure=ROBUST, delta=TWO_POINTS),
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


def _sensitive(near: str) -> Claim:
    return Claim(
        id="C000-14",
        statement=f"An undefended network is very sensitive: at {near}/255 PGD costs it over 20 points",
        parts=(
            part("before - after", difference("plain-fgsm-0", f"plain-pgd-{near}"), measure=ROBUST, delta=TWENTY),
        ),
        published=published("000", "pictures of fooled images at eps 0.03 (1.55/255)", "the accuracy under attack is not given"),
        says={"supported": f"Without a defence {near}/255 already leaves {{plain-pgd-{near}}}."},
        means=FRAGILE,
        figure=CURVE,
    )  # fmt: skip


def _not_fully(eps: str) -> Claim:
    return Claim(
        id="C000-15",
        statement="Training on FGSM for one half improves robustness against FGSM by over ten points, but not fully: over ten "
        "points stay missing",
        parts=(
            part("half - none", difference(f"half-fgsm-{eps}", f"plain-fgsm-{eps}"), measure=ROBUST, delta=TEN),
            part("clean - attacked", difference("half-fgsm-0", f"half-fgsm-{eps}"), measure=ROBUST, delta=TEN),
        ),
        published=published(
            "000",
            "clean 79.15 %, under FGSM at eps 0.03 59.95 %",
            "one run of 40 epochs more from the trained network; no undefended network beside it, and no PGD",
        ),
        means=JUDGED,
        figure=CURVE,
    )  # fmt: skip


def _both_fool(eps: str) -> Claim:
    return Claim(
        id="C002-05",
        statement="FGSM and PGD both fool the undefended network: each costs it over 20 points",
        parts=tuple(
            part(
                f"before - {attack.upper()}",
                difference("plain-fgsm-0", f"plain-{attack}-{eps}"),
                measure=ROBUST,
                delta=TWENTY,
            )
            for attack in ("fgsm", "pgd")
        ),
        published=published(
            "002", "one picture each", "the picture's title is the configured target, not the prediction"
        ),
        means=FRAGILE,
        figure=CURVE,
    )


def _two_radii(near: str, eps: str) -> Claim:
    return Claim(
        id="C004-16",
        statement="Training on FGSM at a small radius helps there and at a larger one: over five points more accuracy under "
        "FGSM at both",
        parts=tuple(
            part(
                f"at {radius}/255",
                difference(f"near-fgsm-{radius}", f"plain-fgsm-{radius}"),
                measure=ROBUST,
                delta=FIVE,
            )
            for radius in (near, eps)
        ),
        published=published(
            "004",
            "at eps 0.01 and 0.05: 76.38 % and 30.00 %, without a defence 47.53 % and 9.68 %",
            "one run; single steps without a clip, eps in units after normalisation (0.5/255 and 2.6/255)",
        ),
        means=JUDGED,
        figure=CURVE,
    )


def _foreign() -> Claim:
    return Claim(
        id="C003-08",
        statement="Training on FGSM for one half improves the detection of foreign images by over a point of AUROC",
        parts=(part("half - none", difference("half-foreign", "plain-foreign"), measure=AUROC, delta=POINT),),
        published=published(
            "003",
            "AUROC 65 % against 63 %",
            "one run each, the robust one also has the higher clean accuracy",
        ),
        says={
            "supported": "Foreign images are easier to notice after training on FGSM: AUROC {half-foreign}, without "
            "{plain-foreign}.",
            "refuted": "Foreign images are not a point easier to notice after training on FGSM: AUROC {half-foreign}, without "
            "{plain-foreign}.",
        },
        means=UNKNOWN,
        figure="foreign",
    )


def _less_foreign() -> Claim:
    return Claim(
        id="C003-09",
        statement="With four fifths of FGSM instead of one half the detection of foreign images is over half a point of "
        "AUROC worse",
        parts=(
            part(
                "half - four fifths", difference("half-foreign", "fifth-foreign"), measure=AUROC, delta=0.005
            ),
        ),
        published=published("003", "slightly worse, in figures alone", "one run each"),
        means=UNKNOWN,
        figure="foreign",
    )
