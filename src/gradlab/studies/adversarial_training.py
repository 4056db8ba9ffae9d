"""What does adversarial training buy, and what does it cost?"""

from __future__ import annotations

from typing import Any

from gradlab.lab.designing.design import Arm, Design, Twins
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.certify import WORDS
from gradlab.studies._adversarial_arms import STEPS, Plan, build_arms, level, plan_of
from gradlab.studies._adversarial_claims import claims_of
from gradlab.studies._shared import ACCURACY, PROTOCOL
from gradlab.studies.setup import Setup
from gradlab.types import Count, PixelEps, UserError

QUESTION = "What does adversarial training buy, and what does it cost?"
BACKGROUND = (
    "A network is trained over and over: without a defence; on images as they are and on FGSM, at two radii and in two shares; "
    "on one large step from a random start (fast training); and on PGD. All start from the same weights and see the same images "
    "in the same order for as many epochs. They are judged by PGD with 20 steps, which none was trained on, beside the single "
    "step of FGSM, by which the published labs judge. Then a few images are seen often: what is learned by heart is not robust."
)


def adversarial_training(
    setup: Setup,
    *,
    eps: PixelEps | None = None,
    epochs: Count | None = None,
    few: Count | None = None,
    few_epochs: Count | None = None,
) -> Design:
    """What does adversarial training buy, and what does it cost?

    Args:
        setup: preset and data.
        eps: radius of training and of the attacks, such as 8/255; 32/255 of grey images by default. A quarter of it is tried
            as well.
        epochs: of every training on all images; the preset's own by default.
        few: images of the small training set; 2,000, or 200 of a small data set.
        few_epochs: epochs on the small training set; the preset's own by default.
    """
    plan = plan_of(setup, eps, few, few_epochs)
    if not plan.eps:
        raise UserError("adversarial-training needs a radius above 0, such as eps=8/255, got 0.")
    arms = build_arms(setup, plan, epochs)
    trained: dict[str, Any] = {arm.name: arm.procedure for arm in arms}
    recipe, few_recipe = trained["plain"].recipe, trained["few-pgd"].recipe
    deviations = (
        f"data {plan.data} instead of cifar10, radii {level(plan.near)}/255 and {level(plan.eps)}/255 of pixels in [0, 1]",
        "nets and recipes of our own",
    )
    return Design(
        study="adversarial-training",
        title="Adversarial training",
        question=QUESTION,
        background=BACKGROUND,
        setting="000, 002, 003 and 004",
        setting_text=f"{plan.data}, {recipe.describe()}; eps {level(plan.eps)}/255; PGD of {STEPS} steps in training and "
        f"of 20 in the attacks; {plan.few:,} images for {few_recipe.epochs} epochs.",
        corrections=(
            *PROTOCOL,
            "an undefended network beside the defended ones (lab 000: none)",
            "judged by PGD as well (labs: by the single step that was trained on)",
            "images clipped to [0, 1], eps in pixels (labs: neither)",
        ),
        deviations=deviations,
        parameters={
            "eps": plan.eps,
            "epochs": recipe.epochs,
            "few": plan.few,
            "few_epochs": few_recipe.epochs,
        },
        arms=arms,
        claims=claims_of(plan, small=setup.is_small, deviations=deviations),
        tables=_tables(arms),
        figures=_figures(plan),
        twins=(Twins(a="plain", b="pgd"), Twins(a="plain", b="half")),
    )


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    kinds = {
        kind: tuple(arm.name for arm in arms if arm.procedure.kind == kind)
        for kind in ("train", "attack", "score", "certify")
    }
    return (
        Table(
            name="accuracy",
            title="Accuracy on images as they are",
            caption="Mean over seeds with a 95 % interval that holds the variance of seeds and of test images. Robust "
            "overfitting: robust accuracy on validation images at the best epoch less that at the last.",
            measures=(ACCURACY, "best epoch", "robust validation accuracy", "robust overfitting"),
            arms=kinds["train"],
        ),
        Table(
            name="attacks", title="Accuracy under attack",
            caption="Share of the attacked test images that are classified correctly before and after.",
            measures=("robust accuracy", "attack success"), arms=kinds["attack"],
        ),
        Table(
            name="certificates", title="Whether the attacks can be believed",
            caption="One network of each training, that of seed 0, on a few test images: what withstands every attack, image by "
            "image, with a 95 % interval over the images; and whether surviving them means anything. Valid: every check was "
            "passed. Suspect: a better attack may find less. Invalid: the attacks were shown to fail.",
            measures=("robust accuracy", "accuracy under PGD", "clean accuracy"), arms=kinds["certify"], facts=WORDS,
        ),
        Table(
            name="foreign",
            title="Detection of foreign images",
            caption="AUROC of the largest softmax probability; 50 % is guessing.",
            measures=("AUROC",),
            arms=kinds["score"],
        ),
    )  # fmt: skip


def _figures(plan: Plan) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-eps",
            title="Accuracy under attack against the radius",
            caption="Networks trained on all images. Each dot is one seed; the line is the mean with its 95 % interval.",
            x="eps",
            y="robust accuracy",
            by="training",
            panel="attack",
            where={"images": "all"},
        ),
        Figure(
            name="robust-accuracy-by-epoch",
            title="Robust accuracy while a few images are learned",
            caption=f"Accuracy under PGD on validation images after every epoch on {plan.few:,} images: mean over seeds with a "
            "95 % band. A fall to nothing is catastrophic overfitting, a slow decline robust overfitting.",
            table="epochs",
            x="epoch",
            y="validation_robust_accuracy",
            by="training",
            where={"images": plan.few},
        ),
        Figure(
            name="foreign",
            title="Detection of foreign images",
            caption="AUROC of the largest softmax probability, mean over the seeds; 50 % is guessing.",
            mark="heat",
            x="set",
            y="training",
            value="AUROC",
        ),
    )
