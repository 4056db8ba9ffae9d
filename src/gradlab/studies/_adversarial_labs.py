"""What four labs claim about adversarial training, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._adversarial_arms import TARGET
from gradlab.studies._shared import POINT, TWO_POINTS, part, published

ROBUST, AUROC, SUCCESS = "robust accuracy", "AUROC", "attack success"
FIVE, TEN, TWENTY = 0.05, 0.1, 0.2
"""Differences under attack that 200 to 500 images a seed can settle."""
CURVE = "accuracy-by-eps"
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
UNKNOWN = (
    "A score of the outputs says how foreign an image looks; AUROC is the chance that a foreign image scores higher than a "
    "familiar one. Whether adversarial training helps there, the published labs disagree."
)


def claims_of_labs(near: str, eps: str, *, with_fifth: bool) -> tuple[Claim, ...]:
    """Return the claims.

    Args:
        near, eps: the radii, in grey levels. with_fifth: whether there is a network trained on four fifths of FGSM.
    """
    claims = (
        _clean(),
        sensitive(near),
        _not_fully(eps),
        _harder_to_target(eps),
        _both_fool(eps),
        _two_radii(near, eps),
        _foreign(),
    )
    return (*claims, _less_foreign()) if with_fifth else claims


def _clean() -> Claim:
    return Claim(
        id="C000-12",
        statement="The undefended network classifies over 75 % of the test images correctly as they are",
        parts=(part("accuracy", against("plain", 0.75 - TWO_POINTS), delta=TWO_POINTS),),
        published=published(
            "000",
            "77.05 %, in a confusion matrix",
            "one run of a residual CNN with four blocks of width 32; elsewhere 73.95 % for the same network, with its last "
            "weights instead of its best",
        ),
        means=TRADE,
        figure=CURVE,
    )


def _harder_to_target(eps: str) -> Claim:
    numbers = "{half-targeted} of the images after training on FGSM, {plain-targeted} without a defence"
    return Claim(
        id="C000-17",
        statement=f"Ten steps within {eps}/255 turn over ten points fewer images into class {TARGET} after training on FGSM "
        "for one half than without a defence",
        parts=(
            part("none - half", difference("plain-targeted", "half-targeted"), measure=SUCCESS, delta=TEN),
        ),
        published=published("000", "about ten iterations, or failure", "told in words, not measured"),
        says={
            "supported": f"A targeted attack succeeds less often: on {numbers}.",
            "refuted": f"A targeted attack succeeds about as often: on {numbers}.",
        },
        means=FRAGILE,
        figure=CURVE,
    )


def sensitive(near: str) -> Claim:
    """Return the claim that an undefended network is sensitive, which a few hundred images can settle."""
    return Claim(
        id="C000-14",
        statement=f"An undefended network is very sensitive: at {near}/255 PGD costs it over 20 points",
        parts=(
            part(
                "before - after", difference("plain-fgsm-0", f"plain-pgd-{near}"), measure=ROBUST, delta=TWENTY,
                better="neither",
            ),
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
            part(
                "clean - attacked", difference("half-fgsm-0", f"half-fgsm-{eps}"), measure=ROBUST, delta=TEN,
                better="neither",
            ),
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
                better="neither",
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
            "refuted": "Training on FGSM does not help by a point of AUROC to notice foreign images: {half-foreign}, without it "
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
