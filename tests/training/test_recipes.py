"""Recipes by name: each trains its network and others, and a wrong name gets the nearest."""

import pytest
import torch
from pydantic import TypeAdapter

from gradlab.data import from_tensors
from gradlab.models import CNN, MLP, NETS, FastCNN
from gradlab.training import RECIPES, Recipe, fit, named_recipe
from gradlab.training.groups import group_numbers
from gradlab.types import UserError

HALF = ("fast-bf16", "fast-bf16-long", "fast-bf16-longest")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_of_fixed_length_and_its_network_is_there(name):
    one = RECIPES[name]
    assert isinstance(one.recipe, Recipe)
    assert one.recipe.stopping is None
    assert one.recipe.keep == "last"  # no epoch is chosen, so that the length is fixed
    assert one.network in NETS
    assert one.summary
    assert f"{one.recipe.epochs} epochs" in one.recipe.describe()


def test_at_least_two_are_here():
    assert len(RECIPES) >= 4
    assert RECIPES.keys() >= {"fast", *HALF}


def test_bf16_belongs_to_a_recipe_and_leaves_the_spec_of_others_as_it_was():
    told = {name: TypeAdapter(Recipe).dump_python(one.recipe) for name, one in RECIPES.items()}
    for name, fields in told.items():
        kept = {"precision": "bf16", "orthogonalise": "bf16"} if name in HALF else {}
        assert {key: fields[key] for key in ("precision", "orthogonalise") if key in fields} == kept
    lengths = [RECIPES[name].recipe.epochs for name in HALF]
    assert lengths == sorted(set(lengths))


def test_the_long_recipes_for_bf16_alternate_their_flip_and_see_an_image_in_six_ways():
    told = {
        name: TypeAdapter(Recipe).dump_python(one.recipe)["augmentation"][0] for name, one in RECIPES.items()
    }
    assert {name: one.get("alternate", False) for name, one in told.items()} == {
        "fast": False, "fast-bf16": False, "fast-bf16-long": True, "fast-bf16-longest": True,
    }  # fmt: skip
    configs = {name: NETS[one.network].config for name, one in RECIPES.items()}
    assert {name: (one.views, one.tiled) for name, one in configs.items()} == {
        "fast": (2, False), "fast-bf16": (2, False), "fast-bf16-long": (6, True), "fast-bf16-longest": (6, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [FastCNN(widths=(25, 26)), CNN(widths=(4,), names="cifar-resnet", residual=True), CNN(widths=(4,))],
    ids=["fast-cnn", "resnet", "cnn"],
)
def test_fast_trains_its_network_and_others_whatever_their_layers_are_called(config):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 3, 32, 32), generator=generator, dtype=torch.uint8)
    data = from_tensors(images, torch.arange(40) % 2)
    network = config.build((3, 32, 32), 2, seed=0)
    trained = fit(network, data, RECIPES["fast"].recipe, progress=False)
    assert (trained.status, trained.epochs) == ("finished", RECIPES["fast"].recipe.epochs)


def test_the_head_is_the_last_matrix_of_two_axes():
    groups = RECIPES["fast"].recipe.groups
    named = [
        (name, one.dim())
        for name, one in MLP(width=3, depth=1).build((1, 2, 2), 2, seed=0).named_parameters()
    ]
    numbers, used = group_numbers(groups, named)
    found = {name: used[number] for (name, _), number in zip(named, numbers, strict=True)}
    assert [name for name, group in found.items() if group == 0] == ["head.weight"]
    assert {name for name, group in found.items() if group == 1} == {
        name for name, axes in named if axes == 1
    }


def test_a_wrong_name_gets_the_nearest_or_all():
    assert named_recipe("Fast_BF16") is RECIPES["fast-bf16"]
    with pytest.raises(UserError, match="there is no recipe 'fst'; did you mean 'fast'"):
        named_recipe("fst")
    with pytest.raises(UserError, match="known are fast, fast-bf16"):
        named_recipe("slow-and-steady")
