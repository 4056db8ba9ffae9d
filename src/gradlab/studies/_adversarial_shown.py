"""Tables and figures of adversarial training."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.certify import WORDS
from gradlab.studies._adversarial_arms import Plan
from gradlab.studies._shared import ACCURACY


def tables_of(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    """Return a table for each kind of run."""
    kinds = {
        kind: tuple(arm.name for arm in arms if arm.procedure.kind == kind)
        for kind in ("train", "attack", "score", "certify")
    }
    return (
        Table(
            name="accuracy",
            title="Accuracy on images as they are",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test images. Robust "
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
            caption="One network of each training, that of the first seed, on a few test images: what withstands every attack, "
            "image by image, with a 95 % interval over the images; and whether surviving them means anything. Valid: every "
            "check was passed. Suspect: a better attack may find less. Invalid: the attacks were shown to fail.",
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


def figures_of(plan: Plan) -> tuple[Figure, ...]:
    """Return accuracy by radius, what is learned by heart, and detection."""
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
