"""Policies as data: what trains in which stage, for how many epochs, at which rates."""

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from gradlab.training import Group, Recipe
from gradlab.transfer import (
    POLICIES,
    AllLayers,
    DiscriminativeRates,
    FromScratch,
    GradualUnfreezing,
    HeadOnly,
    LastBlock,
    Part,
    Policy,
)
from gradlab.types import UserError

PARTS = (
    Part("stem", ("stem.w", "stem.b")),
    Part("one", ("one.w",)),
    Part("two", ("two.w",)),
    Part("head", ("head.w",)),
)
RECIPE = Recipe(epochs=9)


def trained(policy, recipe=RECIPE):
    """Names of the parts that train, and the epochs, stage by stage."""
    return [
        ([part.name for part in PARTS if set(part.parameters) <= set(stage.trains)], stage.recipe.epochs)
        for stage in policy.stages(PARTS, recipe)
    ]


def test_six_policies_are_found_and_one_of_them_keeps_nothing():
    assert len(POLICIES) == 6
    assert {name: kind().kind for name, kind in POLICIES.items()} == {name: name for name in POLICIES}
    assert [name for name, kind in POLICIES.items() if kind.fresh] == ["scratch"]


@pytest.mark.parametrize("kind", POLICIES)
def test_every_policy_is_read_from_its_fields_and_spends_the_whole_budget(kind):
    adapter = TypeAdapter(Annotated[Policy, Field(discriminator="kind")])
    policy = POLICIES[kind]()
    assert adapter.validate_json(adapter.dump_json(policy)) == policy
    for epochs in (1, 2, 3, 4, 5, 20):
        stages = policy.stages(PARTS, Recipe(epochs=epochs))
        assert sum(stage.recipe.epochs for stage in stages) == epochs
        assert all("head.w" in stage.trains for stage in stages)
        assert all(len(set(stage.trains)) == len(stage.trains) for stage in stages)
    assert policy.describe()


def test_what_trains_is_what_the_policy_is_called():
    everything = ["stem", "one", "two", "head"]
    assert trained(HeadOnly()) == [(["head"], 9)]
    assert trained(LastBlock()) == [(["two", "head"], 9)]
    assert trained(LastBlock(blocks=2)) == [(["one", "two", "head"], 9)]
    assert trained(AllLayers()) == trained(FromScratch()) == [(everything, 9)]
    assert trained(DiscriminativeRates()) == [(everything, 9)]


def test_gradual_unfreezing_adds_a_part_an_epoch_from_the_head_down():
    everything = ["stem", "one", "two", "head"]
    ladder = [(everything[-n:], 1) for n in (1, 2, 3)]
    assert trained(GradualUnfreezing()) == [*ladder, (everything, 6)]
    assert trained(GradualUnfreezing(), Recipe(epochs=4)) == [*ladder, (everything, 1)]
    assert trained(GradualUnfreezing(), Recipe(epochs=2)) == [(["head"], 1), (everything, 1)]
    assert trained(GradualUnfreezing(), Recipe(epochs=1)) == [(["head"], 1)]


def test_rates_fall_by_the_factor_from_part_to_part():
    (stage,) = DiscriminativeRates(factor=2).stages(PARTS, RECIPE)
    rates = {group.match: group.rate for group in stage.recipe.groups}
    assert rates == {"two.w": 1 / 2, "one.w": 1 / 4, "stem.w": 1 / 8, "stem.b": 1 / 8}
    assert DiscriminativeRates().factor == 2.6  # Howard & Ruder


def test_what_a_policy_cannot_do_is_refused():
    with pytest.raises(UserError, match="3 parts before its head, got blocks=4"):
        LastBlock(blocks=4).stages(PARTS, RECIPE)
    with pytest.raises(UserError, match="leave the recipe's groups out"):
        DiscriminativeRates().stages(PARTS, Recipe(groups=(Group(decay=0),)))
    with pytest.raises(UserError, match="leave snapshots out"):
        GradualUnfreezing().stages(PARTS, Recipe(epochs=3, snapshots=(1,)))
    with pytest.raises(UserError, match="factor must be greater than 0"):
        DiscriminativeRates(factor=0)
