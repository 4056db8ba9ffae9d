import itertools
import math

import pytest

from gradlab.studies import STUDIES, build_design
from gradlab.studies.optimisers import RATES
from gradlab.types import UserError
from tests.studies.setups import setup


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["optimisers"], "optimisers", setup(preset, data), parameters)


def test_every_optimiser_has_the_same_budget():
    made = design()
    assert {len(choice.among) for choice in made.chosen} == {6}
    assert len(made.arms) == 4 * 6
    assert {(arm.recipe.epochs, arm.recipe.batch_size, arm.model) for arm in made.arms} == {
        (10, 128, made.arms[0].model)
    }
    for grid in RATES.values():
        steps = [math.log10(b / a) for a, b in itertools.pairwise(grid)]
        assert steps == pytest.approx([0.5] * 5, abs=0.03)


def test_a_choice_is_among_the_rates_of_its_own_optimiser():
    made = design()
    recipes = {arm.name: arm.recipe for arm in made.arms}
    for choice in made.chosen:
        kinds = {
            (recipes[name].optimizer, recipes[name].momentum, recipes[name].weight_decay)
            for name in choice.among
        }
        assert len(kinds) == 1
        assert (
            tuple(sorted(recipes[name].learning_rate for name in choice.among))
            == RATES[choice.name.removesuffix("-best")]
        )


@pytest.mark.parametrize(("rates", "adam"), [(3, (0.0003, 0.003, 0.03)), (2, (0.001, 0.03))])
def test_fewer_rates_are_spread_over_the_same_range(rates, adam):
    made = design(rates=rates)
    tried = tuple(arm.recipe.learning_rate for arm in made.arms if arm.name.startswith("adam-"))
    assert tried == adam


def test_claims_compare_what_was_chosen():
    claims = {claim.id: claim for claim in design().claims}
    assert claims["optimisers-adam"].parts[0].contrast.weights == {"adam-best": 1.0, "sgd-best": -1.0}
    assert claims["optimisers-adam"].parts[0].delta == 0.005
    assert claims["optimisers-rate"].parts[0].contrast.weights == {"sgd-best": 1.0, "sgd-0.01": -1.0}
    assert claims["optimisers-momentum"].predicts == "equivalent"


@pytest.mark.parametrize("rates", [1, 7])
def test_a_budget_that_is_not_there_is_refused(rates):
    with pytest.raises(UserError, match=f"rates must lie between 2 and 6, got {rates}"):
        design(rates=rates)
