"""Distillation as a procedure: twins share start and views, and the teacher's classes are those of its own network."""

import pytest
import torch

from gradlab.lab import load, run_design
from gradlab.lab.judging.results import Results
from gradlab.models import MLP
from gradlab.procedures import PROCEDURES, Distil, network_of
from gradlab.training import Recipe
from gradlab.types import UserError
from tests.procedures.examples import DATA, NET, asked, design_of, run

RECIPE = Recipe(epochs=2, batch_size=32, learning_rate=1e-2)
SOFT = Distil(net=NET, data="stripes", model=MLP(width=5, depth=1), recipe=RECIPE, temperature=3.0, alpha=0.0)
HARD = Distil(net=NET, data="stripes", model=MLP(width=5, depth=1), recipe=RECIPE, temperature=3.0, alpha=1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distilled")
    run_design(design_of(SOFT, HARD), asked(folder, (0,)))
    found = [load(path) for path in sorted((folder / "records").iterdir())]
    students = {
        one.spec["procedure"]["alpha"]: one for one in found if one.spec["procedure"]["kind"] == "distil"
    }
    return students, next(one for one in found if one.spec["procedure"]["kind"] == "train")


def test_twins_start_from_the_same_bits_and_differ_in_the_end(made):
    students, _ = made
    assert students[0.0].facts["start"] == students[1.0].facts["start"]
    assert (
        students[0.0].table("predictions")["loss"].tolist()
        != students[1.0].table("predictions")["loss"].tolist()
    )
    assert students[0.0].facts["teacher"] > students[0.0].facts["parameters"]


def test_what_was_taught_is_what_the_recorded_teacher_says(made):
    students, teacher = made
    with torch.no_grad():
        said = network_of(teacher)(DATA["stripes"].test.images / 255).argmax(1).numpy()
    for record in students.values():
        table = record.table("predictions")
        assert (table["taught"] == said).all()
        found = Results(record, PROCEDURES["distil"])
        agreement = found.kind.measures["agreement with the teacher"].value(found)
        assert agreement == (table["prediction"] == said).mean()


def test_the_student_comes_back(made):
    for record in made[0].values():
        with torch.no_grad():
            logits = network_of(record)(DATA["stripes"].test.images / 255)
        assert (logits.argmax(1).numpy() == record.table("predictions")["prediction"]).all()


def test_a_teacher_of_other_classes_and_views_that_are_none_are_refused(tmp_path):
    with pytest.raises(UserError, match="one logit for each of the 2 classes of 'noise'"):
        run(tmp_path, Distil(net=NET, data="noise", model=MLP(), recipe=RECIPE))
    with pytest.raises(UserError, match="each once"):
        Distil(net=NET, data="stripes", model=MLP(), recipe=RECIPE, views=("mirror", "mirror"))
    with pytest.raises(UserError, match="'identity' or 'mirror'"):
        Distil(net=NET, data="stripes", model=MLP(), recipe=RECIPE, views=("turned",))
