import pytest

from gradlab.studies import STUDIES, build_design
from gradlab.studies._activations_arms import JUDGED
from gradlab.training.stopping import Patience
from gradlab.types import UserError
from tests.studies.setups import setup


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["activations"], "activations", setup(preset, data), parameters)


def test_the_deep_net_is_the_published_one():
    made = design("full")
    deep = next(arm for arm in made.arms if arm.name == "tanh-10")
    assert deep.procedure.model.widths == (256, 256, 128, 128, 64, 64, 32, 32, 16, 16)
    recipe = deep.procedure.recipe
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.epochs) == (
        "adam",
        1e-3,
        64,
        50,
    )
    assert recipe.stopping == Patience(patience=10, min_delta=1e-3)
    assert made.deviations == (JUDGED,)
    assert {arm.factors["depth"] for arm in made.arms} == {2, 5, 10}


def test_arms_differ_in_activation_and_initialisation_alone():
    made = design()
    assert len(made.arms) == 2 * 5 + 5
    assert len({arm.procedure.recipe for arm in made.arms}) == 1
    nets = {
        (
            arm.procedure.model.widths,
            arm.procedure.model.norm,
            arm.procedure.model.dropout,
            arm.procedure.model.residual,
        )
        for arm in made.arms
    }
    assert len(nets) == 2
    matched = {
        arm.factors["activation"]: arm.procedure.model.init
        for arm in made.arms
        if arm.factors["init"] == "matched"
    }
    assert matched == {
        "sigmoid": "xavier",
        "tanh": "xavier",
        "relu": "he",
        "leaky-relu": "he",
        "gelu": "he",
    }
    assert all(arm.procedure.probe_steps[:3] == (0, 1, 3) for arm in made.arms)


def test_the_claim_speaks_of_every_saturating_activation():
    claims = {claim.id: claim for claim in design().claims}
    accuracy, gradient = claims["C002-01"], claims["C002-01g"]
    assert [part.contrast.weights for part in accuracy.parts] == [
        {"relu-10": 1.0, "sigmoid-10": -1.0},
        {"relu-10": 1.0, "tanh-10": -1.0},
    ]
    assert {part.measure for part in gradient.parts} == {"gradient flow at the start"}
    assert {part.delta for part in gradient.parts} == {1.0}


def test_what_differs_from_the_lab_is_named():
    made = design(depths=(2, 5), activations=("tanh", "relu"))
    assert made.deviations == (
        "epochs 8 instead of 50",
        "batch size 128 instead of 64",
        JUDGED,
        "no early stopping instead of patience 10",
        "5 hidden layers instead of 10",
        "without sigmoid",
    )


def test_relu_is_always_the_reference():
    made = design(activations=("gelu",), depths=(10,))
    assert {arm.factors["activation"] for arm in made.arms} == {"gelu", "relu"}
    assert [claim.id for claim in made.claims] == ["activations-smooth"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"depths": (3,)}, r"depths are 2, 5 or 10 hidden layers, as published, got \(3,\)"),
        ({"activations": ("relu",)}, "compares relu with at least one other"),
        ({"activations": ("swish",)}, "does not fit study 'activations'"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(given, text):
    with pytest.raises(UserError, match=text) as caught:
        design(**given)
    assert "\n" not in str(caught.value)


def test_two_hidden_layers_have_no_gradient_flow_to_speak_of():
    assert "C002-01g" in {claim.id for claim in design(depths=(5,)).claims}
    assert "C002-01g" not in {claim.id for claim in design(depths=(2,)).claims}
