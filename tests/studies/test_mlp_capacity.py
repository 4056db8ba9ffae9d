import pytest

from gradlab.models import MLP
from gradlab.studies import STUDIES, build_design
from gradlab.training.stopping import Patience, StagnationOverfit
from gradlab.types import UserError
from tests.studies.setups import setup


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["mlp-capacity"], "mlp-capacity", setup(preset, data), parameters)


def arm(made, name):
    return next(one for one in made.arms if one.name == name)


def test_the_labs_nets_are_those_published():
    made = design()
    for width, parameters in ((3, 2_395), (10, 7_960), (64, 50_890)):  # 785·w + (w + 1)·10
        assert arm(made, f"width-{width}").procedure.model.parameter_count(784, 10) == parameters
    assert arm(made, "lab-000").procedure.model.parameter_count(784, 10) == 109_386
    assert arm(made, "lab-004-adam").procedure.model.parameter_count(784, 10) == 55_050
    assert arm(made, "lab-000").procedure.model.dropout == 0.2


def test_the_recipes_are_those_published():
    made = design()
    width, lab, adam, sgd = (
        arm(made, name).procedure.recipe for name in ("width-3", "lab-000", "lab-004-adam", "lab-004-sgd")
    )
    assert (width.learning_rate, width.batch_size, width.stopping) == (1e-3, 128, Patience(patience=5))
    assert (lab.optimizer, lab.epochs, lab.stopping) == ("adam", 50, StagnationOverfit())
    assert (adam.optimizer, adam.learning_rate, adam.batch_size, adam.epochs) == ("adam", 1e-3, 256, 50)
    assert (sgd.optimizer, sgd.learning_rate, sgd.momentum, sgd.batch_size) == ("sgd", 0.1, 0.0, 256)
    assert adam.stopping is sgd.stopping is None


def test_arms_of_a_family_differ_in_size_alone():
    made = design()
    for family in ("width", "depth"):
        recipes = {one.procedure.recipe for one in made.arms if one.factors["family"] == family}
        assert len(recipes) == 1
    assert arm(made, "depth-3").procedure.model == MLP(width=64, depth=2)
    assert "depth-1" not in {one.name for one in made.arms}  # it is width-64


def test_each_claim_has_the_setting_of_its_lab():
    by_id = {claim.id: claim for claim in design().claims}
    assert by_id["C000-01"].deviations == by_id["C004-01"].deviations == ()
    assert by_id["C001-01"].deviations == (
        "at most 50 epochs and patience 5 on the validation loss (the lab's are not published)",
    )
    assert [part.kind for part in by_id["C004-01"].parts] == ["same"]
    quick = {claim.id: claim for claim in design("quick", sgd_learning_rate=0.5).claims}
    assert quick["C000-01"].deviations == ("epochs 15 instead of 50",)
    assert "learning rate of SGD 0.5 instead of 0.1" in quick["C004-01"].deviations


def test_a_wider_layer_is_compared_step_by_step():
    claims = {claim.id: claim for claim in design().claims}
    weights = [part.contrast.weights for part in claims["C001-01"].parts]
    assert weights == [{"width-10": 1.0, "width-3": -1.0}, {"width-64": 1.0, "width-10": -1.0}]
    other = {claim.id: claim for claim in design(widths=(5, 20)).claims}["C001-01"]
    assert [part.contrast.weights for part in other.parts] == [{"width-20": 1.0, "width-5": -1.0}]
    assert "other widths" in other.deviations


def test_depth_is_compared_with_the_arm_that_stands_for_one_layer():
    claims = {claim.id: claim for claim in design().claims}
    assert claims["capacity-depth"].parts[0].contrast.weights == {"depth-2": 1.0, "width-64": -1.0}
    without = {claim.id: claim for claim in design(widths=(3, 10)).claims}
    assert without["capacity-depth"].parts[0].contrast.weights == {"depth-2": 1.0, "depth-1": -1.0}


@pytest.mark.parametrize("given", [{"widths": (3,)}, {"depths": (2,)}, {"widths": (3, 3)}])
def test_one_size_alone_is_no_comparison(given):
    with pytest.raises(UserError, match="at least two widths and two depths"):
        design(**given)


def test_the_study_as_a_whole_is_nobodys_published_setting():
    made = design()
    assert made.deviations[-1] == "sizes of our own beside the published ones"
    assert set(made.claims[0].deviations) <= set(made.deviations)
