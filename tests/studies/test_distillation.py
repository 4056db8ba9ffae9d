"""The study of distillation: twins that differ in what they learn from, a student of half the size, numbers from records."""

import numpy as np
import pytest

import gradlab
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.models import CNN
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.types import UserError

DIGITS = Setup(preset="quick", data="digits", train_images=1293, class_count=10, image_size=8, channels=1)
CIFAR = Setup(
    preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
)


def design(where=DIGITS, **parameters):
    return build_design(STUDIES["distillation"], "distillation", where, parameters)


@pytest.mark.parametrize(("where", "shape"), [(DIGITS, (1, 8, 8)), (CIFAR, (3, 16, 16))])
def test_the_student_has_about_half_of_the_teachers_parameters(where, shape):
    made = design(where)
    teacher = made.arm("teacher").procedure.model.parameter_count(shape, 10)
    student = made.arm("hard").procedure.model.parameter_count(shape, 10)
    assert 0.45 < student / teacher < 0.55


def test_twins_differ_in_temperature_and_weight_of_the_labels_alone():
    made = design()
    arms = {arm.name: arm.procedure for arm in made.arms if arm.name != "teacher"}
    assert {name: (one.alpha, one.temperature) for name, one in arms.items()} == {
        "hard": (1.0, 4.0),
        "soft": (0.0, 4.0),
        "both-1": (0.1, 1.0),
        "both-4": (0.1, 4.0),
    }
    rest = {(one.net, one.data, one.model, one.recipe, one.views) for one in arms.values()}
    assert len(rest) == 1
    assert {(pair.a, pair.b) for pair in made.twins} == {("hard", "soft"), ("hard", "both-4")}


def test_parameters_reach_the_arms_and_nonsense_is_refused():
    made = design(temperatures=(2.0, 4.0), alpha=0.5, epochs=3, teacher_epochs=5)
    assert made.arm("both-2").procedure.alpha == 0.5
    assert made.arm("both-2").procedure.recipe.epochs == 3
    assert made.arm("teacher").procedure.recipe.epochs == 5
    assert any(claim.id == "distillation-temperature" and "at 2" in claim.statement for claim in made.claims)
    for bad, sentence in (
        ({"temperatures": (4.0,)}, "must hold 4"),
        ({"temperatures": (1.0, 2.0)}, "must hold 4"),
        ({"alpha": 1.0}, "alpha lies between 0 and 1"),
        ({"temperatures": (0.0, 4.0)}, "greater than 0"),
    ):
        with pytest.raises(UserError, match=sentence):
            design(**bad)


def test_without_a_lower_temperature_nothing_is_claimed_about_it():
    assert "distillation-temperature" not in {one.id for one in design(temperatures=(4.0, 8.0)).claims}


def test_the_student_is_the_teacher_but_for_its_widths():
    made = design(CIFAR)
    teacher, student = made.arm("teacher").procedure.model, made.arm("soft").procedure.model
    assert isinstance(student, CNN)
    assert (student.residual, student.blocks, student.widths) == (True, 1, (11, 23, 45))
    assert teacher.widths == (16, 32, 64)


@pytest.mark.slow
def test_its_numbers_follow_from_the_records_and_its_pages_are_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(
        running,
        "run_units",
        lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
    )
    found = gradlab.run(
        "distillation",
        epochs=1,
        teacher_epochs=1,
        seeds=2,
        out=tmp_path / "runs",
        device="cpu",
        progress=False,
    )
    shares, agreement = {}, {}
    for arm in ("hard", "soft", "both-4", "both-1", "teacher"):
        tables = [found.record(arm, seed).table("predictions") for seed in (0, 1)]
        shares[arm] = np.mean([(one["prediction"] == one["label"]).mean() for one in tables])
        if arm != "teacher":
            agreement[arm] = np.mean([(one["prediction"] == one["taught"]).mean() for one in tables])
    claims = found.claims.set_index("id").estimate
    assert claims["distillation-twin"] == pytest.approx(shares["both-4"] - shares["hard"])
    assert claims["distillation-teacher"] == pytest.approx(shares["both-4"] - shares["teacher"])
    assert claims["distillation-labels"] == pytest.approx(shares["soft"] - shares["both-4"])
    assert claims["distillation-agreement"] == pytest.approx(agreement["soft"] - agreement["hard"])
    assert claims["distillation-temperature"] == pytest.approx(shares["both-4"] - shares["both-1"])
    starts = {found.record(arm, 0).facts["start"] for arm in ("hard", "soft", "both-4")}
    assert len(starts) == 1
    assert [list(one.differences) for one in gradlab.verify(found.folder)] == [[]]
