"""Madry training: the paper's loop step by step, plain training at radius 0, and faults that are seen."""

import pytest
import torch
from torch.nn import functional

from gradlab.attacks import MadryTraining
from gradlab.training import Objective, Recipe, fit, fit_stacked
from gradlab.types import UserError
from tests.attacks.notebook import (
    DATA,
    EPS,
    QUIET,
    RECIPE,
    cnn,
    distance,
    mlp,
    notebook,
    sign_steps,
    trained,
    uniform,
)
from tests.training.examples import assert_states_close, assert_states_equal, small_cnn

OBJECTIVE = MadryTraining(eps=EPS, steps=3, step_size=0.04, validation_steps=2)
ADAM = Recipe(epochs=3, batch_size=32, learning_rate=0.02)


def by_hand(eps=EPS, step=0.04, steps=3, wrong=0):
    """The loss of a batch; a planted fault attacks labels that are `wrong` further on."""

    def loss(model, images, labels, stream):
        start = uniform(images, eps, stream)
        attacked = sign_steps(model, images, (labels + wrong) % 3, start, eps=eps, step=step, steps=steps)
        return functional.cross_entropy(model(attacked), labels)

    return loss


@pytest.mark.parametrize("network", [mlp, cnn])
def test_it_trains_as_a_notebook_does_and_not_as_one_with_a_fault(network):
    mine = trained(network(), OBJECTIVE)
    assert_states_close(mine, notebook(network(), by_hand()), 1e-9)
    faults = {
        "the attack is ignored": by_hand(steps=0),
        "no attack at all": by_hand(eps=0.0),
        "another label": by_hand(wrong=1),
        "the sign is turned": by_hand(step=-0.04),
        "one step fewer": by_hand(steps=2),
        "half the radius": by_hand(eps=EPS / 2),
    }
    for name, fault in faults.items():
        assert distance(mine, notebook(network(), fault)) > 1e-5, name


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_at_eps_0_it_is_ordinary_training_bit_for_bit(dropout):
    still = MadryTraining(eps=0, steps=2, validation_steps=2)
    assert isinstance(still, Objective)
    seeds = [0, 3]
    networks = [mlp(seed, dropout=dropout) for seed in seeds]
    plain = fit_stacked(networks, DATA, ADAM, seeds=seeds, **QUIET)
    attacked = fit_stacked(networks, DATA, ADAM, seeds=seeds, objective=still, **QUIET)
    for mine, theirs in zip(attacked, plain, strict=True):
        assert_states_equal(mine.model.state_dict(), theirs.model.state_dict())
        for row, expected in zip(mine.history, theirs.history, strict=True):
            assert {name: row[name] for name in expected} == expected
            assert row["validation_robust_accuracy"] == row["validation_accuracy"]
    alone = fit(small_cnn(), DATA, ADAM, objective=still, **QUIET).model
    assert_states_equal(alone.state_dict(), fit(small_cnn(), DATA, ADAM, **QUIET).model.state_dict())


def test_stacked_seeds_train_as_each_alone():
    together = fit_stacked([mlp(0), mlp(3)], DATA, RECIPE, seeds=[0, 3], objective=OBJECTIVE, **QUIET)
    alone = fit(mlp(3), DATA, RECIPE, seed=3, objective=OBJECTIVE, **QUIET)
    assert_states_close(together[1].model.state_dict(), alone.model.state_dict(), 1e-9)
    for row, expected in zip(together[1].history, alone.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-9)


def test_it_resumes_bit_for_bit_and_knows_another_training(tmp_path):
    arguments = {"seed": 1, "objective": OBJECTIVE, **QUIET}
    whole = fit(small_cnn(), DATA, ADAM, **arguments)
    fit(small_cnn(), DATA, ADAM, checkpoint=tmp_path / "c", pause_after=1, **arguments)
    resumed = fit(small_cnn(), DATA, ADAM, checkpoint=tmp_path / "c", **arguments)
    assert_states_equal(resumed.model.state_dict(), whole.model.state_dict())
    other = arguments | {"objective": MadryTraining(eps=EPS, steps=3, step_size=0.05, validation_steps=2)}
    with pytest.raises(UserError, match="belongs to another training"):
        fit(small_cnn(), DATA, ADAM, checkpoint=tmp_path / "c", **other)


def test_the_weights_of_the_epoch_with_the_best_robust_accuracy_are_kept():
    recipe = Recipe(epochs=6, batch_size=32, learning_rate=0.05, select="robust_accuracy")
    made = fit(mlp(), DATA, recipe, objective=OBJECTIVE, **QUIET)
    robust = [row["validation_robust_accuracy"] for row in made.history]
    assert made.best_epoch == robust.index(max(robust)) + 1
    assert min(robust) < max(robust)
    with pytest.raises(
        UserError, match="selects by 'robust_accuracy', but validation measures loss, accuracy"
    ):
        fit(mlp(), DATA, recipe, objective=MadryTraining(validation_steps=0), **QUIET)


def test_a_network_without_a_gradient_for_its_images_is_refused():
    network = mlp()
    network.register_forward_pre_hook(lambda _module, inputs: (inputs[0].detach(),))
    wrapped = torch.nn.Sequential(network)
    with pytest.raises(UserError, match="no gradient with respect to its images"):
        fit(wrapped, DATA, RECIPE, objective=OBJECTIVE, **QUIET)


def test_settings_are_checked_and_said():
    assert MadryTraining(eps="8/255", steps=4).step == pytest.approx(5 / 255)
    assert MadryTraining(steps=4).passes == 5
    assert OBJECTIVE.describe() == "Madry training with PGD of 3 steps at eps 25.5/255"
    with pytest.raises(UserError, match="write 8/255"):
        MadryTraining(eps=8)
    with pytest.raises(UserError, match="steps must be at least 1"):
        MadryTraining(steps=0)
