"""Divergence: named where it began, with the best weights kept and the other seeds undisturbed."""

import math
from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.models import MLP, reinitialise
from gradlab.training import Recipe, fit, fit_stacked

from .examples import CLASSES, SHAPE, assert_states_close, assert_states_equal, blobs

DATA = blobs()
BASE = Recipe(epochs=4, batch_size=16, learning_rate=0.01)
STEPS = -(-len(DATA.train) // 16)


class Bomb(nn.Module):
    """Multiplies by one, and by NaN from a given step of training on (or on evaluation only)."""

    def __init__(self, step=None, evaluation=False):
        super().__init__()
        self.step, self.evaluation = step, evaluation
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, features):
        if self.training:
            self.steps += 1
        broken = self.step is not None and self.training and self.steps >= self.step
        # the door looks at two images; the validation part has more
        broken = broken or (self.evaluation and not self.training and len(features) > 2)
        return features * (math.nan if broken else 1.0)


class Functional(nn.Module):
    """A layer that breaks in its own forward, after its inner layer was fine."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(5, 5)

    def forward(self, features):
        return self.inner(features) / 0.0


class Whole(nn.Sequential):
    """A model that breaks in its own forward."""

    def forward(self, images):
        return super().forward(images) / 0.0


class Root(nn.Module):
    """Adds the root of a parameter that is zero: a finite output with an infinite gradient."""

    def __init__(self):
        super().__init__()
        self.inside = nn.Parameter(torch.zeros(5))

    def forward(self, features):
        return features + self.inside.sqrt()


def model(middle):
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), middle, nn.ReLU(), nn.Linear(5, CLASSES))
    for number in (1, 4):
        reinitialise(net[number], number)
    return net


def run(module, recipe=BASE, **arguments):
    return fit(module, DATA, recipe, progress=False, **arguments)


def test_nan_in_the_middle_of_a_later_epoch_is_named_by_epoch_step_and_layer():
    trained = run(model(Bomb(step=2 * STEPS + 3)))
    assert trained.status == "diverged"
    assert trained.note == f"epoch 3, step 3 of {STEPS}: the output of 2 is not finite"
    assert trained.epochs == len(trained.history) == 3
    assert math.isnan(trained.history[-1]["train_loss"])
    assert all(math.isfinite(value) for row in trained.history[:2] for value in row.values())


def test_the_weights_of_the_best_epoch_before_it_are_kept():
    clean = run(model(Bomb()), Recipe(epochs=2, batch_size=16, learning_rate=0.01))
    trained = run(model(Bomb(step=2 * STEPS + 3)))
    assert trained.best_epoch == clean.best_epoch > 0
    assert_states_equal(trained.model.state_dict(), clean.model.state_dict())


def test_with_last_weights_kept_those_of_the_last_whole_epoch_return():
    keep = {"keep": "last", "batch_size": 16, "learning_rate": 0.01}
    clean = run(model(Bomb()), Recipe(epochs=2, **keep))
    trained = run(model(Bomb(step=2 * STEPS + 3)), Recipe(epochs=4, **keep))
    assert trained.best_epoch == 2
    assert_states_equal(trained.model.state_dict(), clean.model.state_dict())


def test_in_the_first_epoch_the_initial_weights_return():
    start = model(Bomb(step=2))
    trained = run(start)
    assert (trained.best_epoch, trained.epochs, trained.status) == (0, 1, "diverged")
    assert trained.note.startswith("epoch 1, step 2 of")
    assert_states_equal(trained.model.state_dict(), start.state_dict())


def test_a_module_that_breaks_in_its_own_forward_is_named_rather_than_its_inner_layer():
    assert "the output of 2 is not finite" in run(model(Functional())).note
    assert "the output of the model is not finite" in run(Whole(nn.Flatten(), nn.Linear(16, CLASSES))).note


def test_an_infinite_gradient_is_named_by_its_parameter():
    assert run(model(Root())).note == f"epoch 1, step 1 of {STEPS}: the gradient of 2.inside is not finite"


def test_a_step_that_overflows_is_the_optimiser_s():
    trained = run(
        model(Bomb()), Recipe(optimizer="sgd", learning_rate=3e38, momentum=0.9, batch_size=16, epochs=2)
    )
    assert trained.status == "diverged"
    assert trained.best_epoch == 0
    big = nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES))
    nn.init.constant_(big[1].weight, 3e37)  # its step of weight decay overflows, loss and gradient do not
    recipe = Recipe(optimizer="adamw", learning_rate=100.0, weight_decay=1.0, batch_size=16, epochs=1)
    assert run(big, recipe).note.endswith("the optimiser's step is not finite while loss and gradients are")


def test_nan_on_validation_images_only_is_named_too():
    trained = run(model(Bomb(evaluation=True)))
    assert trained.note == "epoch 1: only on validation images, where the output of 2 is not finite"
    assert trained.status == "diverged"
    assert math.isnan(trained.history[0]["validation_loss"])
    assert math.isfinite(trained.history[0]["train_loss"])


def test_an_exploding_activation_is_named_at_the_first_layer_that_overflows():
    network = MLP(width=4, depth=3, stem_activation=False).build(SHAPE, CLASSES, seed=0)
    with torch.no_grad():
        for number, (weight, bias) in enumerate([(1e15, 1e15), (1e15, 1e30), (1e15, 1e30)]):
            network.blocks[number].branch[0].weight.fill_(weight)
            network.blocks[number].branch[0].bias.fill_(bias)
        network.stem[0].weight.fill_(1.0)
    # 1e15 · ~10 · 4, then ~1e31, then 1e46 > 3.4e38
    assert run(network).note == f"epoch 1, step 1 of {STEPS}: the output of blocks.2.branch.0 is not finite"


def test_a_huge_learning_rate_ends_as_diverged_and_says_where():
    network = MLP(width=8, depth=8).build(SHAPE, CLASSES, seed=0)
    trained = run(network, Recipe(optimizer="sgd", learning_rate=1e30, epochs=3, batch_size=16))
    assert trained.status == "diverged"
    assert trained.note.startswith("epoch 1, step ")
    assert trained.note.endswith("is not finite")
    assert trained.best_epoch == 0
    assert_states_equal(trained.model.state_dict(), network.state_dict())


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_the_other_seeds_of_the_stack_go_on_as_if_alone(clip_norm):
    recipe = Recipe(epochs=3, batch_size=16, clip_norm=clip_norm)
    config = MLP(width=6, depth=2, norm="batch", dropout=0.2)
    models = [config.build(SHAPE, CLASSES, seed=seed) for seed in (0, 1, 2)]
    with torch.no_grad():
        models[1].blocks[1].branch[0].weight.fill_(math.inf)
    before = deepcopy(models[1].state_dict())
    fits = fit_stacked(models, DATA, recipe, seeds=[0, 1, 2], precision="fp64", progress=False)
    assert [one.status for one in fits] == ["finished", "diverged", "finished"]
    assert fits[1].note == f"epoch 1, step 1 of {STEPS}: the output of blocks.1.branch.0 is not finite"
    assert len(fits[1].history) == 1
    assert_states_close(
        {n: v for n, v in fits[1].model.state_dict().items() if n != "blocks.1.branch.0.weight"},
        {n: v.double() for n, v in before.items() if n != "blocks.1.branch.0.weight"},
        0.0,
    )
    for index in (0, 2):
        solo = fit(models[index], DATA, recipe, seed=index, precision="fp64", progress=False)
        logits = [one.model(DATA.validation.images.double() / 255) for one in (fits[index], solo)]
        torch.testing.assert_close(logits[0], logits[1], rtol=1e-6, atol=1e-6)


def test_divergence_with_dropout_is_found_in_the_same_step_when_played_again():
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(16, 5), nn.Dropout(0.5), Bomb(step=STEPS + 4), nn.Linear(5, CLASSES)
    )
    assert run(network).note == f"epoch 2, step 4 of {STEPS}: the output of 3 is not finite"
