"""One pass of a probe against autograd and arithmetic by hand, alone and stacked."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.models import MLP
from gradlab.models.stack import stack
from gradlab.training.probes import layers_of, measure, probing
from gradlab.types import UserError

from .examples import CLASSES, SHAPE, assert_states_equal, small_cnn

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.rand(20, *SHAPE, generator=GENERATOR)
LABELS = torch.arange(20) % CLASSES


class Transformer(nn.Module):
    """Rows of the image as tokens, one block, functional activation."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, CLASSES)  # registered first, runs last
        self.embed = nn.Linear(4, 4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.norm = nn.LayerNorm(4)
        self.wide, self.narrow = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, images):
        tokens = self.embed(images.squeeze(1))
        tokens = tokens + self.attention(tokens, tokens, tokens)[0]
        tokens = tokens + self.narrow(functional.gelu(self.wide(self.norm(tokens))))
        return self.head(tokens.mean(1))


def mlp(seed=0, **more):
    settings = {"width": 6, "depth": 4, "dropout": 0.3} | more
    return MLP(**settings).build(SHAPE, CLASSES, seed=seed)


MODELS = {
    "plain": mlp,
    "residual": lambda: mlp(residual=True, layers_per_block=2, activation_place="after-sum"),
    "batch norm": lambda: mlp(norm="batch"),
    "layer norm": lambda: mlp(norm="layer", stem_activation=False),
    "cnn": small_cnn,
    "transformer": Transformer,
}


def probe(model, step=0, before=None, images=IMAGES):
    loss = lambda: functional.cross_entropy(model(images), LABELS)  # noqa: E731
    return measure(model, loss, step=step, before=before)[0]


def without_dropout(model):
    model = deepcopy(model).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model


@pytest.mark.parametrize("name", MODELS)
def test_gradient_norms_equal_those_of_a_plain_backward_pass(name):
    model = MODELS[name]()
    rows = probe(model)
    copy = without_dropout(model)
    functional.cross_entropy(copy(IMAGES), LABELS).backward()
    assert len(rows) >= 4
    for row in rows:
        layer = copy.get_submodule(row.layer)
        own = dict(layer.named_parameters(recurse=False))
        for kind, found in (("weight", row.weight_gradient), ("bias", row.bias_gradient)):
            squares = [float((p.grad.double() ** 2).sum()) for key, p in own.items() if key.endswith(kind)]
            assert found == pytest.approx(sum(squares) ** 0.5, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_left_as_it_was(name):
    model = MODELS[name]()
    model.train(name != "batch norm")
    state, modes = deepcopy(model.state_dict()), [layer.training for layer in model.modules()]
    next(model.parameters()).grad = torch.ones_like(next(model.parameters()))
    random_state = torch.get_rng_state()
    with torch.no_grad():
        rows = probe(model)
    assert probe(model) == rows
    assert_states_equal(model.state_dict(), state)
    assert [layer.training for layer in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert [p.grad is None for p in model.parameters()].count(False) == 1
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in model.modules())


def test_layers_come_in_the_order_in_which_they_run():
    rows = probe(Transformer())
    names = [
        "embed",
        "attention",
        "wide",
        "narrow",
        "head",
        "attention.out_proj",
    ]  # the last one is never called
    assert [row.layer for row in rows] == names
    assert [row.index for row in rows] == list(range(6))
    assert rows[5].activation_scale is None
    assert rows[5].dead is None
    assert rows[5].weight_gradient > 0


def test_scale_and_dead_units_of_a_linear_layer_by_hand():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, CLASSES))
    with torch.no_grad():
        model[1].bias[:2] = -100.0  # two units that no image reaches
        model[1].bias[2:] = 3.0
    first, head = probe(model)
    with torch.no_grad():
        hidden, logits = model[1](IMAGES.flatten(1)).relu(), model(IMAGES)
    assert first.dead == pytest.approx(2 / 5)
    assert first.activation_scale == pytest.approx(float((hidden**2).mean() ** 0.5), rel=1e-6)
    assert head.activation_scale == pytest.approx(float((logits**2).mean() ** 0.5), rel=1e-6)
    assert head.dead == 0.0


def test_a_dead_unit_of_a_convolution_is_a_channel():
    model = nn.Sequential(nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, CLASSES))
    with torch.no_grad():
        model[0].weight.fill_(0.1)
        model[0].bias.copy_(torch.tensor([1.0, -100.0, 1.0, 1.0]))
        model[0].weight[2, 0] = 0.0
        model[0].bias[2] = 0.0
    assert probe(model)[0].dead == 0.5
    reshaped = nn.Sequential(model[0], nn.Flatten(), nn.ReLU(), model[3])  # here every number is a unit
    assert probe(reshaped)[0].dead == 0.5


def test_the_update_ratio_is_the_step_over_the_weight_before_it():
    model = mlp()
    before = {p: p.detach().clone() for p in model.parameters()}
    with torch.no_grad():
        model.head.weight.mul_(1.25)
        model.stem[0].weight.add_(0.5)
    stem, *middle, head = probe(model, 3, before)
    assert head.update_ratio == pytest.approx(0.25, rel=1e-6)
    old = before[model.stem[0].weight]
    assert stem.update_ratio == pytest.approx(0.5 * old.numel() ** 0.5 / float(old.norm()), rel=1e-6)
    assert [row.update_ratio for row in middle] == [0.0] * 4
    assert all(row.update_ratio is None for row in probe(model))
    assert all(row.step == 3 for row in (stem, *middle, head))
    zero = {p: torch.zeros_like(p) for p in before}
    assert all(row.update_ratio is None for row in probe(model, 3, zero))


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("residual", [False, True])
def test_a_stack_is_probed_as_each_of_its_networks_alone(norm, residual):
    """In float64, where nothing but the method can differ."""
    networks = [mlp(seed, norm=norm, residual=residual).double() for seed in range(3)]
    stacked, images = stack(networks), IMAGES.double()
    first = next(iter(stacked.parameters()))

    def loss():
        logits = stacked(images.expand(3, *images.shape))
        return functional.cross_entropy(logits.flatten(0, 1), LABELS.repeat(3)) * 3

    every = measure(stacked, loss, step=2, before={first: first.detach() * 2}, networks=3)
    assert len(every) == 3
    for rows, network in zip(every, networks, strict=True):
        weight = network.stem[0].weight
        alone = probe(network, 2, {weight: weight.detach() * 2}, images)
        assert [row.layer for row in rows] == [row.layer for row in alone]
        for mine, theirs in zip(rows, alone, strict=True):
            assert mine.weight_gradient == pytest.approx(theirs.weight_gradient, rel=1e-10)
            assert mine.bias_gradient == pytest.approx(theirs.bias_gradient, rel=1e-10, abs=1e-14)
            assert mine.activation_scale == pytest.approx(theirs.activation_scale, rel=1e-10)
            assert (mine.dead, mine.update_ratio) == (theirs.dead, theirs.update_ratio)


def test_frozen_layers_are_left_out_and_norms_are_no_layers():
    model = mlp(norm="batch")
    model.head.requires_grad_(False)
    assert [layer.name for layer in layers_of(model)] == [row.layer for row in probe(model)]
    assert all(layer.weights[0].dim() == 2 for layer in layers_of(model))
    assert "head" not in [row.layer for row in probe(model)]
    with pytest.raises(UserError, match="no layer with a trained weight to probe"):
        layers_of(nn.BatchNorm1d(3))


def test_buffers_that_forward_replaces_are_put_back():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self):
            self.calls = self.calls + 1
            self.register_buffer("late", torch.ones(1))

    model = Counting()
    kept = model.calls
    with pytest.raises(TypeError), probing(model):
        model(model(), "one argument too many")
    assert model.calls is kept
    assert float(kept) == 0
    assert list(dict(model.named_buffers())) == ["calls"]
