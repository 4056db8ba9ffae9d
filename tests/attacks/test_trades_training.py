"""TRADES: the loss of the authors' code, statistics from the images as they are, plain training at radius 0."""

import torch
from torch.nn import functional

from gradlab.attacks import TradesTraining, kl_divergence
from gradlab.training import fit, fit_stacked
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
from tests.training.examples import assert_states_close

OBJECTIVE = TradesTraining(eps=EPS, steps=2, step_size=0.06, beta=3.0, validation_steps=0)


def by_hand(beta=3.0, reverse=False, moves=False):
    """As in the authors' repository, but that the second pass moves no statistics."""

    def loss(model, images, labels, stream):
        model.eval()
        still = model(images).detach().softmax(1)
        start = images + 0.001 * torch.randn(images.shape, generator=stream).double()
        attacked = sign_steps(
            model, images, labels, start, eps=EPS, step=0.06, steps=2,
            loss=lambda logits: functional.kl_div(logits.log_softmax(1), still, reduction="sum"),
        )  # fmt: skip
        clean = model(images)
        if moves:
            around = model(attacked)
        else:
            with frozen_statistics(model):
                around = model(attacked)
        pair = (clean, around) if reverse else (around, clean)
        kl = functional.kl_div(pair[0].log_softmax(1), pair[1].softmax(1), reduction="batchmean")
        return functional.cross_entropy(clean, labels) + beta * kl

    return loss


def test_it_trains_as_the_authors_code_does_and_not_as_one_with_a_fault():
    for network in (cnn, mlp):
        mine = trained(network(), OBJECTIVE)
        assert_states_close(mine, notebook(network(), by_hand()), 1e-8)
        for fault in (by_hand(beta=1.0), by_hand(reverse=True), by_hand(moves=True), by_hand(beta=-3.0)):
            assert distance(mine, notebook(network(), fault)) > 1e-6


def test_at_eps_0_it_is_ordinary_training_within_rounding():
    still = TradesTraining(eps=0, steps=2, validation_steps=0)
    plain = fit(cnn(), DATA, RECIPE, **QUIET)
    mine = fit(cnn(), DATA, RECIPE, objective=still, **QUIET)
    assert_states_close(mine.model.state_dict(), plain.model.state_dict(), 1e-9)
    for row, expected in zip(mine.history, plain.history, strict=True):
        assert row["train_robust_accuracy"] == row["train_accuracy"] == expected["train_accuracy"]


def test_seeds_stack():
    together = fit_stacked([mlp(0), mlp(3)], DATA, RECIPE, seeds=[0, 3], objective=OBJECTIVE, **QUIET)
    alone = fit(mlp(3), DATA, RECIPE, seed=3, objective=OBJECTIVE, **QUIET)
    assert_states_close(together[1].model.state_dict(), alone.model.state_dict(), 1e-9)


def test_the_divergence_is_that_of_pytorch_and_0_for_equal_logits():
    one, other = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0)).double()
    expected = functional.kl_div(other.log_softmax(-1), one.softmax(-1), reduction="none").sum(-1)
    torch.testing.assert_close(kl_divergence(one, other), expected)
    assert not kl_divergence(one, one).any()


def test_it_says_what_it_is():
    assert OBJECTIVE.describe() == "TRADES with beta 3, 2 steps at eps 25.5/255"
    assert OBJECTIVE.passes == 4
    assert TradesTraining().step == 2 / 255
