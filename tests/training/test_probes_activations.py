"""Which tensor is the activation of a layer, in modules of every habit."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.models import MLP
from gradlab.training.probes_activations import Activations

INPUTS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def linear(fan_in=4, fan_out=4):
    return nn.Linear(fan_in, fan_out)


def activations(model, layers, inputs=INPUTS):
    with Activations(layers) as found:
        model(inputs)
    return [found.found(number) for number in range(len(layers))]


class Written(nn.Module):
    """Two layers and a forward pass of one's own."""

    def __init__(self, forward):
        super().__init__()
        self.first, self.second = linear(), linear()
        self.rule = forward

    def forward(self, inputs):
        return self.rule(self.first, self.second, inputs)


RULES = {
    # name: (forward pass, activation of the first layer, of the second)
    "function": (lambda a, b, x: b(torch.relu(a(x))), lambda a, b, x: (a(x).relu(), b(a(x).relu()))),
    "method": (lambda a, b, x: b(a(x).tanh()), lambda a, b, x: (a(x).tanh(), b(a(x).tanh()))),
    "in place": (lambda a, b, x: b(a(x).relu_()), lambda a, b, x: (a(x).relu(), b(a(x).relu()))),
    "clamp": (lambda a, b, x: b(a(x).clamp(min=0)), lambda a, b, x: (a(x).relu(), b(a(x).relu()))),
    "none": (lambda a, b, x: b(a(x)), lambda a, b, x: (a(x), b(a(x)))),
    "through a norm and dropout": (
        lambda a, b, x: b(functional.gelu(functional.dropout(functional.layer_norm(a(x), (4,)), 0.5, False))),
        lambda a, b, x: ((h := functional.gelu(functional.layer_norm(a(x), (4,)))), b(h)),
    ),
    "through a sum": (
        lambda a, b, x: torch.relu(x + b(torch.relu(a(x)))),
        lambda a, b, x: ((h := a(x).relu()), (x + b(h)).relu()),
    ),
    "through a sum of both": (
        lambda a, b, x: torch.relu(a(x) + b(x)),
        lambda a, b, x: ((h := (a(x) + b(x)).relu()), h),
    ),
    "through parts": (
        lambda a, b, x: torch.relu(torch.cat([a(x), b(x)], dim=1)),
        lambda a, b, x: ((h := torch.cat([a(x), b(x)], 1).relu()), h),
    ),
    "through a split": (
        lambda a, b, x: b(torch.cat([a(x).split(2, 1)[0].relu(), x[:, :2]], 1)),
        lambda a, b, x: ((h := a(x)[:, :2].relu()), b(torch.cat([h, x[:, :2]], 1))),
    ),
    "not through another layer": (
        lambda a, b, x: torch.relu(b(a(x))),
        lambda a, b, x: (a(x), b(a(x)).relu()),
    ),
    "not through a product": (
        lambda a, b, x: torch.relu(a(x) @ b(x).T),
        lambda a, b, x: (a(x), b(x)),
    ),
    "the first run": (
        lambda a, b, x: b(torch.relu(a(torch.relu(a(x))))),
        lambda a, b, x: (a(x).relu(), b(a(a(x).relu()).relu())),
    ),
    "written over afterwards": (
        lambda a, b, x: b(_plus(functional.leaky_relu(a(x)), x)),
        lambda a, b, x: ((h := functional.leaky_relu(a(x))), b(h + x)),
    ),
    "own output written over": (
        lambda a, b, x: b(_plus(a(x), x)),
        lambda a, b, x: (a(x), b(a(x) + x)),
    ),
}


def _plus(left, right):
    left += right
    return left


@pytest.mark.parametrize("name", RULES)
def test_the_activation_is_what_the_first_non_linearity_returns(name):
    forward, expected = RULES[name]
    model = Written(forward)
    found = activations(model, [model.first, model.second])
    with torch.no_grad():
        for mine, theirs in zip(found, expected(model.first, model.second, INPUTS), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    "act",
    [
        nn.ReLU(),
        nn.ReLU(inplace=True),
        nn.GELU(),
        nn.Sigmoid(),
        nn.SiLU(),
        nn.PReLU(),
        nn.Threshold(0.1, 0.0),
    ],
)
def test_modules_of_activations_are_seen(act):
    model = nn.Sequential(linear(), act, linear())
    found, _ = activations(model, [model[0], model[2]])
    assert torch.equal(found, act(model[0](INPUTS)))


def test_a_convolution_reaches_its_activation_through_norm_and_pooling():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.Flatten(), nn.ReLU(), nn.Linear(3, 2)
    )
    images = torch.rand(5, 1, 4, 4)
    found, head = activations(model, [model[0], model[5]], images)
    model.eval()
    assert found.shape == (5, 3)
    assert bool((found >= 0).all())
    assert head.shape == (5, 2)


@pytest.mark.parametrize("place", ["inside", "after-sum"])
def test_layers_of_the_mlp_run_in_their_order(place):
    model = MLP(width=4, depth=4, residual=True, layers_per_block=2, activation_place=place).build(
        (1, 2, 2), 3, seed=0
    )
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    with Activations(layers[::-1]) as found:
        model(torch.rand(5, 1, 2, 2))
    assert found.order() == [5, 4, 3, 2, 1, 0]
    assert all(bool((found.found(number) >= 0).all()) for number in (1, 2, 3, 4, 5))
    assert bool((found.found(0) < 0).any())  # the head has no activation


def test_hooks_and_marks_are_gone_afterwards_also_after_an_error():
    layer = linear()
    model = nn.Sequential(layer, nn.Linear(3, 3))
    with pytest.raises(RuntimeError), Activations([layer]) as found:
        model(INPUTS)
    assert not layer._forward_hooks
    assert found.order() == [0]
    assert not hasattr(INPUTS, "_gradlab_layers")
    assert type(torch.relu(INPUTS)) is torch.Tensor


def test_a_layer_that_does_not_run_has_none_and_comes_last():
    layer, aside = linear(), linear()
    with Activations([aside, layer]) as found:
        layer(INPUTS)
    assert found.found(0) is None
    assert found.order() == [1, 0]
