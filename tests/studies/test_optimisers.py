import itertools
import math

import pytest

from gradlab.studies import STUDIES, build_design
from gradlab.studies.optimisers import RATES
from gradlab.types import UserError
from tests.studies.setups import setup


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["optimisers"], "optimisers", setup(preset, data), parameters)


def tried_and_chosen(made):
    chosen = [arm for arm in made.arms if arm.is_pick]
    return [arm for arm in made.arms if not arm.is_pick], chosen


def test_every_optimiser_has_the_same_budget():
    arms, chosen = tried_and_chosen(design())
    assert {len(one.procedure.among) for one in chosen} == {6}
    assert len(arms) == 4 * 6
    recipes = [one.procedure.recipe for one in arms]
    assert {(one.epochs, one.batch_size) for one in recipes} == {(10, 128)}
    assert len({one.procedure.model for one in arms}) == 1
    for grid in RATES.values():
        steps = [math.log10(b / a) for a, b in itertools.pairwise(grid)]
        assert steps == pytest.approx([0.5] * 5, abs=0.03)


def test_a_choice_is_among_the_rates_of_its_own_optimiser_and_by_the_validation_loss():
    arms, chosen = tried_and_chosen(design())
    assert {one for arm in chosen for one in arm.procedure.among} == {arm.procedure for arm in arms}
    for arm in chosen:
        recipes = [one.recipe for one in arm.procedure.among]
        assert len({(one.optimizer, one.momentum, one.weight_decay) for one in recipes}) == 1
        rates = tuple(sorted(one.learning_rate for one in recipes))
        assert rates == RATES[arm.name.removesuffix("-best")]
        assert arm.procedure.by == "validation loss"


@pytest.mark.parametrize(("rates", "adam"), [(3, (0.0003, 0.003, 0.03)), (2, (0.001, 0.03))])
def test_fewer_rates_are_spread_over_the_same_range(rates, adam):
    made = design(rates=rates)
    tried = tuple(
        arm.procedure.recipe.learning_rate
        for arm in tried_and_chosen(made)[0]
        if arm.name.startswith("adam-")
    )
    assert tried == adam


def test_claims_compare_what_was_chosen():
    claims = {claim.id: claim for claim in design().claims}
    assert claims["optimisers-adam"].parts[0].contrast.weights == {"adam-best": 1.0, "sgd-best": -1.0}
    assert claims["optimisers-adam"].parts[0].delta == 0.005
    assert claims["optimisers-rate"].parts[0].contrast.weights == {"sgd-best": 1.0, "sgd-0.01": -1.0}
    assert claims["optimisers-momentum"].predicts == "refuted"


@pytest.mark.parametrize("rates", [1, 7])
def test_a_budget_that_is_not_there_is_refused(rates):
    with pytest.raises(UserError, match=f"rates must lie between 2 and 6, got {rates}"):
        design(rates=rates)
