"""Stacked seeds against solo ones, in every choice and order; streams of dropout; where gradients go."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.models.chain import Chain
from gradlab.training import Patience, Recipe, fit, fit_stacked
from gradlab.training.trainee import assemble, weights_of

from .examples import CLASSES, SHAPE, assert_states_close, blobs, small_cnn, without_idle_biases

DATA = blobs()
NET = MLP(width=6, depth=4, residual=True, layers_per_block=2)


def net(config=NET, seed=0):
    return config.build(SHAPE, CLASSES, seed=seed, mean=(0.3,), std=(0.25,))


STACK_CONFIGS = [NET, replace(NET, dropout=0.3, norm="batch"), MLP(width=16, depth=32, residual=True)]
STACK_RECIPES = [
    Recipe(epochs=1, batch_size=16),
    Recipe(
        epochs=1, batch_size=16, optimizer="sgd", learning_rate=0.05, momentum=0.9, clip_norm=0.5, ema=0.9
    ),
]
SEEDS = [0, 3, 11]


@pytest.mark.parametrize("config", STACK_CONFIGS, ids=["mlp", "dropout and batch norm", "depth 32"])
@pytest.mark.parametrize("recipe", STACK_RECIPES, ids=["adam", "sgd"])
def test_stacked_seeds_equal_solo_after_an_epoch_in_float64(config, recipe):
    models = [net(config, seed) for seed in SEEDS]
    together = fit_stacked(models, DATA, recipe, seeds=SEEDS, precision="fp64", progress=False)
    for model, seed, stacked in zip(models, SEEDS, together, strict=True):
        solo = fit(model, DATA, recipe, seed=seed, precision="fp64", progress=False)
        mine, theirs = (without_idle_biases(one.model.state_dict()) for one in (stacked, solo))
        assert_states_close(mine, theirs, 1e-6)
        assert stacked.seed == seed
        for row, expected in zip(stacked.history, solo.history, strict=True):
            assert row == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("config", STACK_CONFIGS, ids=["mlp", "dropout and batch norm", "depth 32"])
def test_stacked_seeds_equal_solo_after_ten_steps_in_float32(config):
    recipe = Recipe(epochs=1, batch_size=-(-len(DATA.train) // 10), learning_rate=1e-4)
    models = [net(config, seed) for seed in SEEDS]
    together = fit_stacked(models, DATA, recipe, seeds=SEEDS, progress=False)
    for model, seed, stacked in zip(models, SEEDS, together, strict=True):
        solo = fit(model, DATA, recipe, seed=seed, progress=False)
        assert_states_close(
            without_idle_biases(stacked.model.state_dict()),
            without_idle_biases(solo.model.state_dict()),
            1e-4,
        )


@pytest.mark.parametrize("ema", [None, 0.5])
def test_a_seed_that_stops_early_leaves_the_others_as_they_would_be_alone(ema):
    recipe = Recipe(epochs=12, batch_size=16, learning_rate=0.01, stopping=Patience(patience=1), ema=ema)
    models = [net(seed=seed) for seed in SEEDS]
    together = fit_stacked(models, DATA, recipe, seeds=SEEDS, precision="fp64", progress=False)
    assert len({one.epochs for one in together}) > 1  # they stop at different epochs
    for model, seed, stacked in zip(models, SEEDS, together, strict=True):
        solo = fit(model, DATA, recipe, seed=seed, precision="fp64", progress=False)
        assert (stacked.epochs, stacked.best_epoch, stacked.status) == (
            solo.epochs,
            solo.best_epoch,
            solo.status,
        )
        assert_states_close(stacked.model.state_dict(), solo.model.state_dict(), 1e-6)


@pytest.mark.parametrize("chosen", [[2, 0, 1], [1], [2, 1]])
def test_any_choice_and_order_of_seeds_gives_the_same(chosen):
    recipe = Recipe(epochs=2, batch_size=16)
    config = replace(NET, dropout=0.2)
    run = lambda positions: fit_stacked(  # noqa: E731
        [net(config, SEEDS[i]) for i in positions],
        DATA,
        recipe,
        seeds=[SEEDS[i] for i in positions],
        precision="fp64",
        progress=False,
    )
    whole = run([0, 1, 2])
    for position, fitted in zip(chosen, run(chosen), strict=True):
        assert_states_close(fitted.model.state_dict(), whole[position].model.state_dict(), 1e-9)


# ---- the trainees themselves


def together(networks, seeds):
    return assemble(networks, seeds, device=torch.device("cpu"), dtype=torch.float32)


def masks(trainee, epoch):
    """What dropout lets through of ones, layer by layer."""
    trainee.module.train()
    trainee.reseed(epoch)
    ones = torch.ones(len(trainee.seeds), 9, 6)
    return [
        layer(ones) for name, layer in trainee.module.named_modules() if "Dropout" in type(layer).__name__
    ]


def test_every_layer_epoch_and_seed_has_a_dropout_mask_of_its_own():
    config = replace(NET, dropout=0.5)
    first, again, later = (
        masks(together([net(config, s) for s in (0, 1)], [0, 1]), epoch) for epoch in (1, 1, 2)
    )
    seen = [mask[seed].flatten().tolist() for masks in (first, later) for mask in masks for seed in (0, 1)]
    assert len(first) == 5
    assert all(a != b for number, a in enumerate(seen) for b in seen[:number])
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_residual_and_plain_twins_see_the_same_dropout_masks():
    pair = [together([net(replace(NET, dropout=0.5, residual=residual))], [3]) for residual in (False, True)]
    assert all(torch.equal(a, b) for a, b in zip(*(masks(one, 1) for one in pair), strict=True))


@pytest.mark.parametrize("make", [net, small_cnn], ids=["ours", "user's"])
def test_the_flat_tensor_and_the_module_share_every_trained_number_and_gradient(make):
    model = make()
    next(model.parameters()).requires_grad_(False)
    trained = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    trainee = together([model], [0])
    (flat,) = trainee.trained.flats
    assert flat.shape == (1, sum(p.numel() for p in trained))
    back = [p.detach() for p in trainee.extract(0, weights_of(trainee)).parameters() if p.requires_grad]
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(back, trained, strict=True))
    for _ in range(3):  # the first step looks for parameters without a gradient, later ones sum in place
        images = torch.rand(1, 5, *SHAPE)
        loss = trainee.forward(trainee.prepare(images)).square().sum()
        expected = torch.autograd.grad(loss, trainee.trained.parameters, retain_graph=True)
        trainee.trained.set_gradient(loss)
        assert torch.equal(flat.grad[0], torch.cat([gradient.flatten() for gradient in expected]))
    with torch.no_grad():
        flat.fill_(0.25)
    back = trainee.extract(0, weights_of(trainee))
    assert all((p == 0.25).all() for p in back.parameters() if p.requires_grad)
    assert not (next(back.parameters()) == 0.25).all()


def test_a_smaller_stack_has_copies_of_its_own():
    whole = together([net(replace(NET, norm="batch"), seed) for seed in (0, 1, 2)], [0, 1, 2])
    part = whole.keep([2, 0])
    assert part.seeds == [2, 0]
    (mine,), (theirs,) = part.trained.flats, whole.trained.flats
    assert torch.equal(mine, theirs[[2, 0]])
    with torch.no_grad():
        mine.zero_()
        part.buffers[0].fill_(7)
    assert theirs.abs().sum() > 0
    assert not (whole.buffers[0] == 7).any()


def test_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match="no trainable parameter"):
        together([nn.Flatten()], [0])


@pytest.mark.parametrize("seeds", [[0], SEEDS])
def test_a_stack_trains_as_a_chain_to_the_bits_of_its_modules(seeds, monkeypatch):
    def trained():
        return fit_stacked(
            [net(seed=seed) for seed in seeds], DATA, STACK_RECIPES[0], seeds=seeds, progress=False
        )

    calls = []
    plain = Chain.__call__
    monkeypatch.setattr(Chain, "__call__", lambda *asked: calls.append(1) or plain(*asked))
    by_chain = trained()
    assert calls
    monkeypatch.setattr(Chain, "fits", lambda *_: False)
    for one, other in zip(by_chain, trained(), strict=True):
        assert one.history == other.history
        assert all(map(torch.equal, one.model.parameters(), other.model.parameters()))
