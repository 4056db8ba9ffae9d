"""`fit` against a plain notebook loop, and stacked seeds against solo ones."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.data import Dataset
from gradlab.models import MLP
from gradlab.training import Cosine, OneCycle, Patience, Recipe, fit, fit_stacked, predict_logits
from gradlab.training.schedule import rate_factor

from .examples import (
    CLASSES,
    SHAPE,
    assert_states_close,
    assert_states_equal,
    blobs,
    notebook,
    small_cnn,
    without_idle_biases,
)

DATA = blobs()
SEEDS = [0, 3, 11]
NET = MLP(width=6, depth=4, residual=True, layers_per_block=2)
LAST = {"keep": "last", "epochs": 3, "batch_size": 16, "learning_rate": 0.01}


def net(config=NET, seed=0):
    return config.build(SHAPE, CLASSES, seed=seed, mean=(0.3,), std=(0.25,))


STEPS = -(-len(DATA.train) // 16)
CASES = {
    "adam": (Recipe(**LAST), lambda p: torch.optim.Adam(p, lr=0.01), {}),
    "adam with l2": (
        Recipe(**LAST, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
        {},
    ),
    "adamw": (
        Recipe(**LAST, optimizer="adamw", weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
        {},
    ),
    "plain sgd": (Recipe(**LAST, optimizer="sgd"), lambda p: torch.optim.SGD(p, lr=0.01), {}),
    "nesterov": (
        Recipe(**LAST, optimizer="sgd", momentum=0.9, nesterov=True, weight_decay=1e-3),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-3),
        {},
    ),
    "label smoothing": (
        Recipe(**LAST, label_smoothing=0.2),
        lambda p: torch.optim.Adam(p, lr=0.01),
        {"smoothing": 0.2},
    ),
    "clipping": (
        Recipe(**LAST, optimizer="sgd", clip_norm=0.3),
        lambda p: torch.optim.SGD(p, lr=0.01),
        {"clip": 0.3},
    ),
    "cosine": (
        Recipe(**LAST, schedule=Cosine()),
        lambda p: torch.optim.Adam(p, lr=0.01),
        {"rates": lambda step: 0.01 * rate_factor(Cosine(), step, STEPS, 3)},
    ),
    "one cycle": (
        Recipe(**LAST, schedule=OneCycle()),
        lambda p: torch.optim.Adam(p, lr=0.01),
        {"rates": lambda step: 0.01 * rate_factor(OneCycle(), step, STEPS, 3)},
    ),
    "weight average": (Recipe(**LAST, ema=0.9), lambda p: torch.optim.Adam(p, lr=0.01), {"ema": 0.9}),
}


NORMED = [(case, norm) for case in CASES for norm in ("none", "batch")]


@pytest.mark.parametrize(("case", "norm"), NORMED)
def test_fit_is_the_notebook_loop(case, norm):
    recipe, make, extra = CASES[case]
    model = net(replace(NET, norm=norm))
    expected = notebook(model, DATA.train, make, seed=4, epochs=3, batch_size=16, **extra)
    trained = fit(model, DATA, recipe, seed=4, precision="fp64", progress=False)
    mine = trained.model.state_dict()
    if norm == "batch" and recipe.optimizer != "sgd":
        mine, expected = without_idle_biases(mine), without_idle_biases(expected)
    assert_states_close(mine, expected, 1e-10)
    assert trained.status == "finished"
    assert trained.epochs == trained.best_epoch == len(trained.history) == 3


def test_a_user_s_module_with_batch_norm_tied_weights_and_buffers_trains_as_in_a_notebook():
    model = small_cnn()
    model.drop.p = 0.0
    make = lambda p: torch.optim.Adam(p, lr=0.01)  # noqa: E731
    expected = notebook(model, DATA.train, make, seed=4, epochs=3, batch_size=16)
    trained = fit(model, DATA, Recipe(**LAST), seed=4, precision="fp64", progress=False)
    assert_states_close(trained.model.state_dict(), expected, 1e-10)
    assert trained.model.second.weight is trained.model.first.weight
    assert trained.model.calls == 3 * STEPS
    assert trained.model.calls.dtype == torch.int64


def test_a_net_learns_the_blobs():
    trained = fit(net(MLP(width=16, depth=2)), blobs(600), Recipe(epochs=30, batch_size=32), progress=False)
    assert trained.history[-1]["validation_accuracy"] > 0.8  # chance is 1/3


@pytest.mark.parametrize("make", [net, small_cnn, lambda: net().eval()], ids=["ours", "user's", "in eval"])
def test_the_given_module_is_left_bit_for_bit_and_in_its_mode(make):
    model = make()
    model[0].eval() if isinstance(model, nn.Sequential) else next(model.children()).eval()
    state = deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    torch.manual_seed(1)
    random_state = torch.get_rng_state()
    fit(model, DATA, Recipe(epochs=1, batch_size=16), progress=False)
    assert_states_equal(model.state_dict(), state)
    assert [module.training for module in model.modules()] == modes
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize("make", [lambda: net(replace(NET, dropout=0.3, norm="batch")), small_cnn])
def test_same_seed_same_bits_whatever_the_global_random_state(make):
    first, second, other = (
        (
            torch.manual_seed(number),
            fit(make(), DATA, Recipe(epochs=2, batch_size=16), seed=seed, progress=False),
        )[1]
        for number, seed in ((1, 0), (2, 0), (1, 1))
    )
    assert_states_equal(first.model.state_dict(), second.model.state_dict())
    assert first.history == second.history
    assert first.history != other.history


def test_best_weights_are_those_of_the_best_epoch():
    recipe = Recipe(epochs=12, batch_size=8, learning_rate=0.05)
    trained = fit(net(), DATA, recipe, seed=1, precision="fp64", progress=False)
    losses = [row["validation_loss"] for row in trained.history]
    assert trained.best_epoch == losses.index(min(losses)) + 1 < 12
    logits = predict_logits(trained.model, DATA.validation, precision="fp64")
    loss = nn.functional.cross_entropy(logits, DATA.validation.labels).item()
    assert loss == pytest.approx(min(losses), rel=1e-12)
    shorter = fit(
        net(),
        DATA,
        replace(recipe, keep="last", epochs=trained.best_epoch),
        seed=1,
        precision="fp64",
        progress=False,
    )
    assert_states_equal(trained.model.state_dict(), shorter.model.state_dict())
    assert not trained.model.training


def test_early_stopping_ends_where_the_rule_says_and_returns_the_best():
    recipe = Recipe(epochs=60, batch_size=8, learning_rate=0.05, stopping=Patience(patience=3))
    trained = fit(net(), DATA, recipe, seed=1, progress=False)
    assert trained.status == "stopped"
    assert trained.epochs == len(trained.history) == trained.best_epoch + 3 < 60
    free = fit(net(), DATA, replace(recipe, stopping=None, epochs=trained.epochs), seed=1, progress=False)
    assert trained.history == free.history


def test_the_average_of_weights_is_what_is_validated_and_kept():
    recipe = Recipe(epochs=2, batch_size=16, learning_rate=0.05, ema=0.9, keep="last")
    config = replace(NET, norm="batch")
    trained = fit(net(config), DATA, recipe, seed=2, precision="fp64", progress=False)
    logits = predict_logits(trained.model, DATA.validation, precision="fp64")
    loss = nn.functional.cross_entropy(logits, DATA.validation.labels).item()
    assert loss == pytest.approx(trained.history[-1]["validation_loss"], rel=1e-12)
    plain = fit(net(config), DATA, replace(recipe, ema=None), seed=2, precision="fp64", progress=False)
    assert trained.history[-1]["train_loss"] == plain.history[-1]["train_loss"]  # the average trains nothing
    running = "blocks.0.branch.1.running_mean"
    assert not torch.equal(trained.model.state_dict()[running], plain.model.state_dict()[running])
    assert not torch.equal(trained.model.head.weight, plain.model.head.weight)


def test_bf16_trains_near_fp32_and_keeps_fp32_weights():
    results = {
        precision: fit(
            net(),
            DATA,
            Recipe(epochs=3, batch_size=16, learning_rate=0.01),
            precision=precision,
            progress=False,
        )
        for precision in ("fp32", "bf16")
    }
    a, b = (results[name].history[-1]["train_loss"] for name in ("fp32", "bf16"))
    assert a != b
    assert a == pytest.approx(b, rel=0.02)  # bf16 has 8 bits
    assert results["bf16"].model.head.weight.dtype == torch.float32


# ---- frozen parts


def test_frozen_parameters_and_batch_norms_are_bit_equal_after_training():
    model = small_cnn()
    model.conv.requires_grad_(False)
    model.norm.requires_grad_(False)
    before = deepcopy(model.state_dict())
    trained = fit(model, DATA, Recipe(epochs=2, batch_size=16, weight_decay=0.1, ema=0.5), progress=False)
    after = trained.model.state_dict()
    for name in before:
        frozen = name.startswith(("conv", "norm")) or name == "calls"
        assert torch.equal(after[name], before[name]) == (frozen and name != "calls"), name
    assert not trained.model.conv.weight.requires_grad


def test_a_frozen_stem_of_our_own_net_is_bit_equal_after_training_alone_and_stacked():
    models = [net(replace(NET, norm="batch"), seed) for seed in SEEDS]
    for model in models:
        model.stem.requires_grad_(False)
    for trained, model in zip(
        fit_stacked(models, DATA, Recipe(epochs=2), seeds=SEEDS, progress=False), models, strict=True
    ):
        assert_states_equal(trained.model.stem.state_dict(), model.stem.state_dict())
        assert not torch.equal(trained.model.head.weight, model.head.weight)


# ---- listeners


def test_listeners_hear_every_epoch_with_the_seeds_that_train():
    heard = []
    recipe = Recipe(epochs=12, batch_size=16, learning_rate=0.02, stopping=Patience(patience=1))
    together = fit_stacked(
        [net(seed=seed) for seed in SEEDS],
        DATA,
        recipe,
        seeds=SEEDS,
        listeners=[heard.append],
        progress=False,
    )
    assert [epoch.epoch for epoch in heard] == list(range(1, max(one.epochs for one in together) + 1))
    for epoch in heard:
        training = [one for one in together if one.epochs >= epoch.epoch]
        assert epoch.seeds == tuple(one.seed for one in training)
        assert list(epoch.metrics) == [one.history[epoch.epoch - 1] for one in training]
        assert epoch.images_per_second > 0
    assert heard[-1].seconds_left >= 0


def test_a_training_split_with_its_own_validation_trains_like_the_data_set():
    recipe = Recipe(epochs=2, batch_size=16)
    a = fit(net(), DATA, recipe, progress=False)
    b = fit(net(), DATA.train, recipe, validation=DATA.validation, progress=False)
    assert_states_equal(a.model.state_dict(), b.model.state_dict())
    only = Dataset("only", DATA.train, None, None, DATA.class_names)
    c = fit(net(), only, replace(recipe, keep="last"), progress=False)
    assert "validation_loss" not in c.history[0]
    assert c.history[1]["train_loss"] == a.history[1]["train_loss"]
