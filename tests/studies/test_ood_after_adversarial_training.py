"""The networks of adversarial training judged by detectors: the same records, one thing varied at a time."""

from dataclasses import replace

import pytest

from gradlab.lab.designing.procedure import walk
from gradlab.studies import STUDIES, build_design
from gradlab.types import UserError
from tests.studies.setups import setup

NAME = "ood-after-adversarial-training"


def design(data="cifar10", preset="standard", name=NAME, **parameters):
    return build_design(STUDIES[name], name, setup(preset, data), parameters)


def trained(made):
    return {one for arm in made.arms for one in walk(arm.procedure) if one.kind == "train"}


@pytest.mark.parametrize("data", ["cifar10", "digits"])
def test_all_networks_but_the_less_accurate_one_are_those_of_adversarial_training(data):
    made = design(data)
    brief = made.arm("net brief").procedure
    assert trained(made) - trained(design(data, name="adversarial-training")) == {brief}
    plain = made.arm("net plain").procedure
    assert replace(plain, recipe=replace(plain.recipe, epochs=brief.recipe.epochs)) == brief
    assert brief.recipe.epochs < plain.recipe.epochs


def test_four_labs_that_disagree_are_asked_with_both_signs():
    made = design()
    labs = {claim.id: claim for claim in made.claims if claim.published}
    assert set(labs) == {"C001-11", "C002-07", "C003-08b", "C004-17"}
    signs = {
        name: claim.parts[0].contrast.weights[next(one for one in claim.parts[0].contrast.weights if one.startswith("plain"))]
        for name, claim in labs.items()
    }  # fmt: skip
    assert signs == {"C001-11": 1, "C002-07": -1, "C003-08b": -1, "C004-17": -1}
    assert all(claim.deviations is None for claim in labs.values())
    assert made.deviations


def test_every_foreign_set_has_the_size_of_what_was_learned_and_no_familiar_class():
    for data in ("cifar10", "digits", "mnist"):
        made = design(data)
        score = next(arm.procedure for arm in made.arms if arm.procedure.kind == "score")
        size = "@16" if "@16" in score.data else "@28"
        assert all(size in name for name in score.out)
        assert not any(name.startswith(f"{data}[") for name in score.out)


def test_one_record_a_network_holds_all_scores():
    made = design()
    arms = [arm for arm in made.arms if arm.procedure.kind == "score"]
    assert len({arm.procedure for arm in arms}) == 5
    assert len(arms) == 5 * 5 * 4


@pytest.mark.parametrize("data", ["cifar10", "digits"])
def test_every_training_is_compared_with_no_defence_by_the_same_score_on_the_same_set(data):
    made = design(data)
    changes = next(table for table in made.tables if table.name == "changes")
    assert len(changes.arms) == len([a for a in made.arms if a.at and not a.name.startswith("plain")])
    for arm, other in ((made.arm(a), made.arm(b)) for a, b in changes.minus.items()):
        assert other.name.startswith("plain ")
        assert arm.at == other.at
        assert {name for name in arm.factors if arm.factors[name] != other.factors[name]} == {"training"}


@pytest.mark.parametrize("data", ["cifar10", "digits"])
def test_signs_are_of_trainings_on_attacks_by_the_scores_and_sets_of_the_labs(data):
    made = design(data)
    tables = {table.name: [made.arm(name) for name in table.arms] for table in made.tables if table.signs}
    assert {arm.at["detector"] for arm in tables["signs"]} == {"max-softmax", "max-logit"}
    assert len({arm.factors["set"] for arm in tables["signs"]}) == 2
    assert {arm.factors["set"] for arm in tables["signs"]} >= {"noise"}
    assert {arm.at["detector"] for arm in tables["signs-all"]} > {"mahalanobis"}
    for arms in tables.values():
        assert all(arm.procedure.net.objective is not None for arm in arms)


def test_a_radius_of_0_is_refused():
    with pytest.raises(UserError, match="a radius above 0"):
        design(eps=0)
