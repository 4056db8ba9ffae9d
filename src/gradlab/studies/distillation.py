"""Does a small network learn more from a larger one than from the labels alone?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import OWN, Arm, Design, Twins
from gradlab.lab.designing.shown import Figure, Table
from gradlab.models.cnn import CNN
from gradlab.procedures.distil import Distil
from gradlab.procedures.train import Train
from gradlab.studies._distillation_claims import claims_of
from gradlab.studies._nets import half_of, source_cnn
from gradlab.studies._shared import ACCURACY, chance_line, learning_curves, mistakes_of
from gradlab.studies._transfer_data import reduced
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.types import Count, Fraction, PositiveFloat, UserError

USUAL = 4.0
"""Temperature of the arms that claims are about."""
TEMPERATURES = {"quick": (1.0, USUAL), "standard": (1.0, USUAL, 16.0), "full": (1.0, 2.0, USUAL, 8.0, 16.0)}
BACKGROUND = (
    "A trained network says more of an image than its label does: that this cat looks a little like a dog. A student of half the "
    "size learns from these soft labels, from the true labels, or from both. Its twin starts from the same weights, sees "
    "the same images in the same views and order for as many epochs, and learns from the true labels alone. At a higher "
    "temperature the soft labels are softer. The teacher runs once over every view of every image; its outputs are kept."
)


def distillation(
    setup: Setup,
    *,
    temperatures: tuple[PositiveFloat, ...] | None = None,
    alpha: Fraction = 0.1,
    teacher_epochs: Count | None = None,
    epochs: Count | None = None,
) -> Design:
    """Does a small network learn more from a larger one than from the labels alone?

    Args:
        setup: preset and data.
        temperatures: by which logits are divided before the softmax, 4 among them, which the claims are about; 1 and 4, and
            16 as well in the larger presets, by default.
        alpha: weight of the true labels where both are learned.
        teacher_epochs: of the teacher; the preset's own by default.
        epochs: of every student; the preset's own by default.
    """
    temperatures = temperatures or TEMPERATURES[setup.preset]
    if USUAL not in temperatures or len(temperatures) < 2:
        raise UserError(
            f"temperatures must hold 4, which the claims are about, and another one, got {temperatures}."
        )
    if not 0 < alpha < 1:
        raise UserError(f"alpha lies between 0 and 1, whose arms are there already, got {alpha:g}; take 0.1.")
    data = reduced(setup, setup.data, setup.class_count, 0)
    teacher = source_cnn(setup, data, epochs=teacher_epochs)
    recipe = replace(teacher.recipe, epochs=epochs or (6 if setup.is_small else teacher.recipe.epochs))
    student = half_of(teacher)
    arms = _arms(teacher, student, recipe, tuple(sorted(set(temperatures))), alpha)
    return Design(
        study="distillation",
        title="Distillation into half the size",
        question="Does a small network learn more from a larger one than from the labels alone?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{data}; teacher {_told(teacher.model)}, student {_told(student)} channels; views identity and "
        f"mirror; weight of the labels {alpha:g} where both are learned; {recipe.describe()}.",
        deviations=(),
        parameters={
            "temperatures": sorted(set(temperatures)),
            "alpha": alpha,
            "teacher_epochs": teacher.recipe.epochs,
            "epochs": recipe.epochs,
        },
        arms=arms,
        claims=claims_of(min(temperatures), small=setup.is_small),
        tables=_tables(arms),
        figures=_figures(arms, setup.class_count),
        twins=tuple(Twins(a="hard", b=name) for name in ("soft", "both-4")),
    )


def _told(model: object) -> str:
    return "-".join(map(str, getattr(model, "widths", ())))


def _arms(
    teacher: Train, student: CNN, recipe: Recipe, temperatures: tuple[float, ...], alpha: float
) -> tuple[Arm, ...]:
    def arm(name: str, label: str, weight: float, temperature: float, learns: str) -> Arm:
        procedure = Distil(
            net=teacher, data=teacher.data, model=student, recipe=recipe, temperature=temperature, alpha=weight
        )  # fmt: skip
        factors: dict[str, str | int | float] = {"learns": learns, "temperature": temperature}
        return Arm(name=name, label=label, factors=factors, procedure=procedure)

    return (
        Arm(name="teacher", label="the teacher", factors={"learns": "teacher"}, procedure=teacher),
        arm("hard", "hard labels", 1.0, USUAL, "hard labels"),
        arm("soft", f"soft labels, T {USUAL:g}", 0.0, USUAL, "soft labels"),
        *(
            arm(f"both-{one:g}", f"both, T {one:g}", alpha, one, "both")
            for one in temperatures
        ),
    )  # fmt: skip


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    students = tuple(arm.name for arm in arms if arm.procedure.kind == "distil")
    return (
        Table(
            name="accuracy",
            title="Accuracy of the teacher and of every student",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test images. The "
            "temperature of hard labels changes nothing.",
            measures=(ACCURACY, "test loss", "calibration error"),
        ),
        Table(
            name="students",
            title="Students",
            caption="Agreement: share of the test images for which student and teacher predict one class, right or wrong. "
            "Seconds are reported, but no claim rests on them.",
            measures=("agreement with the teacher", "best epoch", "seconds"),
            arms=students,
        ),
    )


def _figures(arms: tuple[Arm, ...], classes: int) -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-temperature",
            title="Test accuracy against the temperature",
            caption="Each small dot is one seed, the large one their mean with its 95 % interval. Hard labels know no "
            "temperature.",
            mark="points",
            x="temperature",
            y=ACCURACY,
            by="learns",
            x_scale="log",
            where={"learns": ["hard labels", "soft labels", "both"]},
            reference=chance_line(classes) if classes > 2 else (),
        ),
        learning_curves(by="arm", panel="learns"),
        *mistakes_of(next(arm for arm in arms if arm.name == f"both-{USUAL:g}")),
    )
