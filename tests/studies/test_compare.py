import pytest

from gradlab.models import MLP
from gradlab.procedures.train import Custom
from gradlab.studies import STUDIES, build_design
from gradlab.types import UserError
from tests.studies.setups import setup

MINE = Custom(name="mine", digest="0f")


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["compare"], "compare", setup(preset, data), parameters)


def test_arms_are_the_given_networks_all_trained_alike():
    made = design(
        models={"mine": MINE, "wide": MLP(width=99)},
        epochs=7,
        learning_rate=0.02,
        batch_size=33,
        optimizer="adamw",
    )
    assert [(arm.name, arm.procedure.model) for arm in made.arms] == [("mine", MINE), ("wide", MLP(width=99))]
    for arm in made.arms:
        recipe = arm.procedure.recipe
        assert (recipe.epochs, recipe.learning_rate, recipe.batch_size, recipe.optimizer) == (
            7,
            0.02,
            33,
            "adamw",
        )
    assert made.parameters["models"] == ["mine", "wide"]


def test_the_first_is_claimed_to_be_better_than_each_other():
    nets = {name: MLP(width=width) for width, name in enumerate(("a", "b", "c"), 4)}
    made = design(models=nets, delta=0.03)
    assert [claim.id for claim in made.claims] == ["compare-1", "compare-2"]
    for claim, other in zip(made.claims, ("b", "c"), strict=True):
        (part,) = claim.parts
        assert part.contrast.weights == {"a": 1.0, other: -1.0}
        assert (part.measure, part.delta) == ("test accuracy", 0.03)
        assert claim.published is None
    assert made.claims[0].statement == "a is more accurate than b"


def test_the_command_line_compares_mlps_of_several_widths():
    made = design(widths=(32, 8), depth=1)
    assert {arm.name: arm.procedure.model for arm in made.arms} == {
        "mlp-32": MLP(width=32, depth=1),
        "mlp-8": MLP(width=8, depth=1),
    }
    assert [arm.name for arm in design().arms] == ["mlp-64", "mlp-4"]


def test_a_network_may_be_given_by_its_fields():
    assert design(models={"a": {"width": 3}, "b": MLP()}).arms[0].procedure.model == MLP(width=3)


@pytest.mark.parametrize(
    ("preset", "data", "epochs"),
    [("quick", "mnist", 5), ("standard", "mnist", 20), ("full", "mnist", 50), ("quick", "digits", 40)],
)
def test_epochs_are_those_of_the_preset_or_of_small_data(preset, data, epochs):
    assert design(preset, data).arms[0].procedure.recipe.epochs == epochs


def test_a_comparison_of_ones_own_is_nobodys_published_setting():
    made = design()
    assert made.deviations == ()
    assert made.setting == "own"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"models": {"a": MLP(), "b": MLP()}, "widths": (2, 3)}, "compare takes models or widths, got both"),
        ({"models": {"a": MLP()}}, r"at least two networks, each with a name of its own, got \['a'\]"),
        ({"models": {}}, r"at least two networks, .*got \[\]"),
        ({"models": {"": MLP(), "b": MLP()}}, "each with a name of its own"),
        ({"models": {"{a}": MLP(), "b": MLP()}}, "must not contain braces"),
        ({"models": [MLP(), MLP()]}, "models=.* does not fit study 'compare'"),
        ({"models": {"a": 3, "b": MLP()}}, "does not fit study 'compare'"),
        ({"widths": (16,)}, r"at least two networks, .*got \['mlp-16'\]"),
        ({"widths": (16, 16)}, r"at least two networks, .*got \['mlp-16'\]"),
        ({"delta": 0}, "delta=0 does not fit"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(given, text):
    with pytest.raises(UserError, match=text) as caught:
        design(**given)
    assert "\n" not in str(caught.value)
