"""Fast training: one step of 1.25 eps from a random start, as the paper's algorithm has it."""

from torch.nn import functional

from gradlab.attacks import FastTraining
from gradlab.training import fit
from tests.attacks.notebook import (
    DATA,
    EPS,
    QUIET,
    RECIPE,
    distance,
    mlp,
    notebook,
    sign_steps,
    trained,
    uniform,
)
from tests.training.examples import assert_states_close, assert_states_equal, small_cnn


def by_hand(reach=1.25, random=1.0):
    def loss(model, images, labels, stream):
        start = uniform(images, random * EPS, stream)
        attacked = sign_steps(model, images, labels, start, eps=EPS, step=reach * EPS, steps=1)
        return functional.cross_entropy(model(attacked), labels)

    return loss


def test_it_trains_as_a_notebook_does():
    mine = trained(mlp(), FastTraining(eps=EPS, validation_steps=0))
    assert_states_close(mine, notebook(mlp(), by_hand()), 1e-9)
    for fault in (by_hand(reach=1.0), by_hand(random=0.0)):
        assert distance(mine, notebook(mlp(), fault)) > 1e-5


def test_at_eps_0_it_is_ordinary_training_bit_for_bit():
    still = FastTraining(eps=0, validation_steps=0)
    mine = fit(small_cnn(), DATA, RECIPE, objective=still, **QUIET)
    plain = fit(small_cnn(), DATA, RECIPE, **QUIET)
    assert_states_equal(mine.model.state_dict(), plain.model.state_dict())
    assert mine.history == plain.history


def test_it_costs_two_passes_and_says_what_it_is():
    assert FastTraining().passes == 2
    assert FastTraining().describe() == "fast FGSM training at eps 8/255"
