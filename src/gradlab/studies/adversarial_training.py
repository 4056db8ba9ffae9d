"""What does adversarial training buy, and what does it cost?"""

from __future__ import annotations

from typing import Annotated, Any

from gradlab.lab.designing.design import Design, Twins
from gradlab.procedures.train import Custom
from gradlab.studies._adversarial_arms import STEPS, Plan, build_arms, level, plan_of
from gradlab.studies._adversarial_claims import claims_of
from gradlab.studies._adversarial_shown import figures_of, tables_of
from gradlab.studies._shared import PROTOCOL
from gradlab.studies.setup import PYTHON_ONLY, Setup
from gradlab.types import Count, PixelEps, UserError

QUESTION = "What does adversarial training buy, and what does it cost?"
BACKGROUND = (
    "A network is trained over and over: without a defence; on images as they are and on FGSM, {half}; "
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
    network: Annotated[Custom | None, PYTHON_ONLY] = None,
) -> Design:
    """What does adversarial training buy, and what does it cost?

    Args:
        setup: preset and data.
        eps: radius of training and of the attacks, such as 8/255; 32/255 of grey images by default. A quarter of it is tried
            as well.
        epochs: of every training on all images; the preset's own by default.
        few: images of the small training set; 2,000, or 200 of a small data set.
        few_epochs: epochs on the small training set; the preset's own by default.
        network: trained instead of a CNN of ours: a torch.nn.Module, drawn afresh for every seed, or a function seed -> module.
    """
    plan = plan_of(setup, eps, few, few_epochs)
    if not plan.eps:
        raise UserError("adversarial-training needs a radius above 0, such as eps=8/255, got 0.")
    arms = build_arms(setup, plan, epochs, network)
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
        background=BACKGROUND.format(half=_half(plan)),
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
        tables=tables_of(arms),
        figures=figures_of(plan),
        twins=(Twins(a="plain", b="pgd"), Twins(a="plain", b="half")),
    )


def _half(plan: Plan) -> str:
    """Say of which radii and shares the trainings on FGSM are."""
    radii = "at two radii" if "near" in plan.names else "at one radius"
    return f"{radii} and in two shares" if "fifth" in plan.names else f"{radii}, half of each"
