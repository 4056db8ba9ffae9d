"""The battery that every way of adversarial training passes."""

from typing import Annotated

import pytest
import torch
from pydantic import Field, TypeAdapter, ValidationError

from gradlab.attacks import (
    FGSM,
    OBJECTIVES,
    AdversarialTraining,
    FastTraining,
    MadryTraining,
    MixedTraining,
    TradesTraining,
)
from gradlab.training import Objective, Recipe, fit
from tests.attacks.notebook import DATA, QUIET, mlp
from tests.training.examples import assert_states_equal, small_cnn


def test_four_are_found():
    expected = {
        "madry": MadryTraining,
        "fast": FastTraining,
        "trades": TradesTraining,
        "mixed": MixedTraining,
    }
    assert expected == OBJECTIVES
    assert all(isinstance(form(), Objective) for form in OBJECTIVES.values())


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_union_reads_each_from_its_fields(kind):
    adapter = TypeAdapter(Annotated[AdversarialTraining, Field(discriminator="kind")])
    config = OBJECTIVES[kind](validation_steps=3)
    assert adapter.validate_json(adapter.dump_json(config)) == config
    with pytest.raises(ValidationError, match="nonsense"):
        adapter.validate_python({"kind": kind, "nonsense": 1})


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_model_is_left_as_found_and_nothing_global_moves(kind):
    network, state = small_cnn(), torch.get_rng_state()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit(network, DATA, Recipe(epochs=1), objective=OBJECTIVES[kind](validation_steps=1), **QUIET)
    assert_states_equal(network.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_it_makes_a_network_more_robust_than_ordinary_training_does(kind):
    recipe = Recipe(epochs=15, batch_size=32, learning_rate=0.01, keep="last")
    judge = MadryTraining(eps=0.05, steps=1, validation_steps=10)
    fields = {"eps": 0.05}
    if kind == "mixed":
        fields = {"attack": FGSM(eps=0.05), "clean": 0.2}
    if kind == "trades":
        fields |= {"beta": 1.0, "steps": 4}

    def robust(objective):
        network = fit(mlp(), DATA, recipe, objective=objective, **QUIET).model
        still = Recipe(epochs=1, learning_rate=1e-12, keep="last")
        return fit(network, DATA, still, objective=judge, **QUIET).history[0]["validation_robust_accuracy"]

    assert robust(OBJECTIVES[kind](validation_steps=0, **fields)) > robust(None) + 0.05
