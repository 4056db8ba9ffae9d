import dataclasses
import inspect

import pytest
import torch

from gradlab.models import MLPNetwork
from gradlab.studies import STUDIES, build_design
from gradlab.training.stopping import Patience, StagnationOverfit
from tests.studies.setups import setup

CLAIMS = {
    "003": {"C003-01", "C003-02", "C003-03"},
    "004": {"C004-02", "C004-03"},
    "000": {"C000-02", "C000-03"},
    "001": {"C001-02"},
}
"""Those that the labs make; studies add more of their own."""


def design(preset="standard", data="mnist", more=None, **parameters):
    return build_design(
        STUDIES["residual-mlp"], "residual-mlp", setup(preset, data, **(more or {})), parameters
    )


@pytest.mark.parametrize("setting", CLAIMS)
def test_the_claims_are_those_of_the_lab(setting):
    found = {claim.id for claim in design(setting=setting).claims}
    assert CLAIMS[setting] <= found
    assert all(name.startswith(f"C{setting}-") for name in found)


@pytest.mark.parametrize("setting", CLAIMS)
def test_the_full_and_the_standard_preset_are_the_published_setting(setting):
    for preset in ("standard", "full"):
        made = design(preset, setting=setting)
        allowed = 1 if setting == "001" else 0  # its stopping rule is not published
        assert len(made.deviations) == allowed


def test_setting_003_is_the_published_one():
    made = design()
    assert [arm.name for arm in made.arms] == [
        f"{kind}-{depth}" for depth in (2, 8, 32, 64) for kind in ("plain", "residual", "residual2")
    ]
    for arm in made.arms:
        recipe = arm.procedure.recipe
        assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.epochs) == (
            "adam",
            1e-4,
            128,
            21,
        )
        assert recipe.stopping is None
        model = arm.procedure.model
        assert (model.width, model.norm, model.activation, model.init) == (16, "none", "relu", "default")
        assert model.depth == arm.factors["depth"]
        assert model.residual == arm.name.startswith("residual")
        assert model.layers_per_block == (2 if arm.name.startswith("residual2") else 1)
        assert model.activation_place == "inside"


def test_setting_004_is_the_published_one():
    made = design(setting="004")
    assert [arm.name for arm in made.arms] == [
        f"{kind}-{d}" for d in (10, 20, 30) for kind in ("plain", "residual2")
    ]
    assert {(arm.procedure.model.width, arm.procedure.model.stem_activation) for arm in made.arms} == {
        (64, True)
    }
    recipe = made.arms[0].procedure.recipe
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.epochs) == (
        "adam",
        1e-3,
        256,
        50,
    )


def test_settings_000_and_001_stop_early_by_their_rules():
    assert isinstance(design(setting="000").arms[0].procedure.recipe.stopping, StagnationOverfit)
    assert design(setting="001").arms[0].procedure.recipe.stopping == Patience(patience=5)
    assert [arm.name for arm in design(setting="000").arms] == ["mlp", "plain", "residual"]
    assert design(setting="000").arms[0].procedure.model.widths == (128, 64)
    assert {arm.procedure.model.dropout for arm in design(setting="000").arms} == {0.2}


@pytest.mark.parametrize("setting", CLAIMS)
def test_twins_differ_in_the_skip_alone_and_start_bit_equal(setting):
    made = design("quick", setting=setting)
    arms = {arm.name: arm for arm in made.arms}
    assert made.twins
    for pair in made.twins:
        residual, plain = arms[pair.a], arms[pair.b]
        assert residual.procedure.recipe == plain.procedure.recipe
        alike = dataclasses.replace(
            residual.procedure.model, residual=False, layers_per_block=plain.procedure.model.layers_per_block
        )
        assert alike == plain.procedure.model
        nets = [arm.procedure.model.build((1, 8, 8), 10, seed=5) for arm in (residual, plain)]
        assert all(isinstance(net, MLPNetwork) for net in nets)
        for one, other in zip(*(net.parameters() for net in nets), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("parameters", "deviation"),
    [
        ({"depths": (2, 8)}, "depths 2, 8 instead of 2, 8, 32, 64"),
        ({"width": 32}, "width 32 instead of 16"),
        ({"init": "he"}, "init he instead of default"),
        ({"epochs": 3}, "epochs 3 instead of 21"),
        ({"learning_rate": 0.01}, "learning rate 0.01 instead of 0.0001"),
        ({"batch_size": 64}, "batch size 64 instead of 128"),
    ],
)
def test_every_override_makes_it_another_setting(parameters, deviation):
    made = design(**parameters)
    assert made.deviations == (deviation,)
    (name, value), *_ = parameters.items()
    assert made.parameters[name] == (list(value) if isinstance(value, tuple) else value)


def test_the_published_values_given_by_hand_are_no_deviation():
    given = {
        "depths": (64, 2, 8, 32, 8),
        "width": 16,
        "init": "default",
        "epochs": 21,
        "learning_rate": 1e-4,
        "batch_size": 128,
    }
    assert design(**given).deviations == ()
    assert design(**given).arms == design().arms


def test_other_data_are_another_setting_whatever_their_name():
    assert "data digits instead of mnist" in design(data="digits").deviations
    assert "another data set called mnist" in design(more={"checksum": "sha256:1"}).deviations
    assert "precision bf16 instead of fp32" in design(more={"precision": "bf16"}).deviations


def test_the_quick_preset_says_in_what_it_differs():
    assert design("quick").deviations == (
        "depths 2, 8, 32 instead of 2, 8, 32, 64",
        "epochs 3 instead of 21",
        "learning rate 0.001 instead of 0.0001",
    )


def test_small_data_have_a_recipe_of_their_own():
    recipe = design("quick", "digits").arms[0].procedure.recipe
    assert (recipe.learning_rate, recipe.batch_size, recipe.epochs) == (1e-3, 32, 40)
    assert design("quick", "digits", epochs=2).arms[0].procedure.recipe.epochs == 2


def test_one_depth_makes_claims_that_can_be_asked():
    made = design(depths=(3,))
    assert {arm.name for arm in made.arms} == {"plain-3", "residual-3"}  # an odd depth has no blocks of two
    assert {claim.id for claim in made.claims} == {"C003-01", "C003-03"}


def test_claim_003_01_asks_at_every_greater_depth():
    (claim,) = [claim for claim in design().claims if claim.id == "C003-01"]
    assert [part.contrast.weights for part in claim.parts] == [
        {"plain-2": 1.0, "plain-64": -1.0},
        {"residual-8": 1.0, "plain-8": -1.0},
        {"residual-32": 1.0, "plain-32": -1.0},
        {"residual-64": 1.0, "plain-64": -1.0},
    ]
    assert {(part.measure, part.delta) for part in claim.parts} == {("test accuracy", 0.01)}


def test_figures_show_accuracy_by_depth_curves_gradients_confusions_and_errors():
    figures = design().figures
    assert {(figure.mark, figure.table) for figure in figures} == {
        ("lines", "arms"),
        ("lines", "epochs"),
        ("lines", "gradients"),
        ("matrix", "predictions"),
        ("gallery", "errors"),
    }
    gradients = [figure for figure in figures if figure.table == "gradients"]
    assert {figure.where["kind"] for figure in gradients} == {"weight", "bias"}
    assert {figure.where["depth"] for figure in gradients} == {32}  # as published


def test_the_study_is_its_own_documentation():
    assert "Do residual connections let deep MLPs train?" in (inspect.getdoc(STUDIES["residual-mlp"]) or "")
