"""Mixed training: any attack, a weight of the images as they are, statistics from them alone."""

import pytest
import torch
from torch.nn import functional

from gradlab.attacks import APGD, FGSM, PGD, DeepFool, MixedTraining, Noise, Square
from gradlab.augmentation import Mixup
from gradlab.training import Recipe, fit, fit_stacked
from gradlab.types import UserError
from tests.attacks.notebook import (
    DATA,
    EPS,
    QUIET,
    RECIPE,
    cnn,
    distance,
    frozen_statistics,
    mlp,
    notebook,
    sign_steps,
    trained,
)
from tests.training.examples import assert_states_close, assert_states_equal, small_cnn

SHORT = (
    FGSM(),
    PGD(norm="l2", eps=0.5, steps=3),
    APGD(steps=3),
    DeepFool(steps=3),
    Noise(),
    Square(queries=8),
)
"""One of each way to attack: by steps in two norms, to the nearest success, by queries, and without a look."""
OBJECTIVE = MixedTraining(attack=FGSM(eps=EPS), clean=0.3, validation_steps=0)


def by_hand(clean=0.3, moves=False, step=EPS):
    def loss(model, images, labels, _stream):
        attacked = sign_steps(model, images, labels, images, eps=EPS, step=step, steps=1)
        first = functional.cross_entropy(model(images), labels)
        if moves:
            second = functional.cross_entropy(model(attacked), labels)
        else:
            with frozen_statistics(model):
                second = functional.cross_entropy(model(attacked), labels)
        return clean * first + (1 - clean) * second

    return loss


def test_it_trains_as_a_notebook_does_and_not_as_one_with_a_fault():
    for network in (cnn, mlp):
        mine = trained(network(), OBJECTIVE)
        assert_states_close(mine, notebook(network(), by_hand()), 1e-8)
        for fault in (by_hand(clean=0.7), by_hand(moves=True), by_hand(step=-EPS), by_hand(step=0.0)):
            assert distance(mine, notebook(network(), fault)) > 1e-6


@pytest.mark.parametrize("attack", SHORT, ids=lambda one: one.kind)
def test_any_attack_trains_and_with_the_clean_loss_alone_nothing_changes(attack):
    plain = trained(cnn(), None, epochs=1)
    mine = trained(cnn(), MixedTraining(attack=attack, clean=1.0, validation_steps=0), epochs=1)
    assert_states_close(mine, plain, 1e-9)
    assert distance(trained(cnn(), MixedTraining(attack=attack, validation_steps=0), epochs=1), plain) > 1e-6


def test_at_eps_0_it_is_ordinary_training_within_rounding():
    still = MixedTraining(attack=PGD(eps=0, steps=2), clean=0.3, validation_steps=2)
    plain = fit(cnn(), DATA, RECIPE, **QUIET)
    mine = fit(cnn(), DATA, RECIPE, objective=still, **QUIET)
    assert_states_close(mine.model.state_dict(), plain.model.state_dict(), 1e-9)
    assert mine.history[-1]["validation_robust_accuracy"] == plain.history[-1]["validation_accuracy"]


def test_random_starts_come_from_the_streams_of_the_run_so_that_it_resumes_bit_for_bit(tmp_path):
    arguments = {"objective": MixedTraining(attack=PGD(eps=EPS, steps=2), validation_steps=0), **QUIET}
    network = small_cnn()
    state = torch.get_rng_state()
    whole = fit(network, DATA, RECIPE, **arguments)
    fit(network, DATA, RECIPE, checkpoint=tmp_path / "c", pause_after=1, **arguments)
    resumed = fit(network, DATA, RECIPE, checkpoint=tmp_path / "c", **arguments)
    assert_states_equal(resumed.model.state_dict(), whole.model.state_dict())
    assert torch.equal(torch.get_rng_state(), state)


def test_stacked_seeds_and_mixed_labels_are_refused_in_a_sentence():
    with pytest.raises(UserError, match="one seed at a time"):
        fit_stacked([mlp(0), mlp(1)], DATA, RECIPE, seeds=[0, 1], objective=OBJECTIVE, **QUIET)
    with pytest.raises(UserError, match="pgd has none here; set validation_steps=0"):
        MixedTraining(attack=PGD(eps=0.5, norm="l2"))
    assert MixedTraining(attack=PGD(eps=0.5, norm="l2"), validation_steps=0).validation_steps == 0
    with pytest.raises(UserError, match="drop mixing"):
        fit(mlp(), DATA, Recipe(epochs=1, mixing=Mixup()), objective=OBJECTIVE, **QUIET)


def test_it_says_what_it_is():
    assert (
        MixedTraining(attack=FGSM(eps="4/255"), clean=0.25).describe()
        == "0.25 clean and 0.75 fgsm loss at eps 4/255"
    )
    assert MixedTraining(attack=PGD(steps=3)).passes == 5
    assert not MixedTraining().stacks
