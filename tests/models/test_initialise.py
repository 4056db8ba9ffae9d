"""Initial values: bounds of each distribution, streams by name, the global random state."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from gradlab.models import MLP, initialise, reinitialise

SHAPE = (1, 8, 8)


def linears(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def test_default_is_the_uniform_distribution_of_pytorch_s_linear_layer():
    for layer in linears(MLP(width=64, depth=2).build(SHAPE, 10, seed=3)):
        bound = 1 / math.sqrt(layer.in_features)
        for values in (layer.weight, layer.bias):
            flat = values.detach().flatten().numpy()
            assert abs(flat).max() <= bound * (1 + 1e-6)  # float32
            assert stats.kstest(flat, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4
    reference = nn.Linear(64, 64).weight.detach()  # nn.Linear's own bound, by its extreme over 4,096 draws
    assert float(reference.abs().max()) == pytest.approx(1 / 8, rel=0.01)


@pytest.mark.parametrize(("activation", "gain"), [("relu", math.sqrt(2)), ("tanh", 5 / 3), ("sigmoid", 1.0)])
def test_he_is_normal_with_variance_gain_squared_over_fan_in_and_zero_bias(activation, gain):
    for layer in linears(MLP(width=64, depth=2, init="he", activation=activation).build(SHAPE, 10, seed=3)):
        scale = gain / math.sqrt(layer.in_features)
        assert stats.kstest(layer.weight.detach().flatten().numpy(), stats.norm(0, scale).cdf).pvalue > 1e-4
        assert not layer.bias.any()


def test_xavier_is_uniform_within_gain_times_root_of_six_over_the_fans_and_zero_bias():
    for layer in linears(MLP(width=64, depth=2, init="xavier", activation="tanh").build(SHAPE, 10, seed=3)):
        bound = 5 / 3 * math.sqrt(6 / (layer.in_features + layer.out_features))
        flat = layer.weight.detach().flatten().numpy()
        assert abs(flat).max() <= bound * (1 + 1e-6)  # float32
        assert stats.kstest(flat, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4
        assert not layer.bias.any()


@settings(max_examples=20)
@given(seed=st.integers(0, 2**62), shallow=st.integers(0, 3), more=st.integers(1, 3))
def test_a_deeper_net_begins_with_the_shallower_one_s_layers_and_ends_with_its_head(seed, shallow, more):
    small = linears(MLP(width=4, depth=shallow).build(SHAPE, 3, seed=seed))
    large = linears(MLP(width=4, depth=shallow + more).build(SHAPE, 3, seed=seed))
    for a, b in [*zip(small[:-1], large[: shallow + 1], strict=True), (small[-1], large[-1])]:
        assert torch.equal(a.weight, b.weight)
        assert torch.equal(a.bias, b.bias)


def test_same_seed_same_bits_other_seed_other_bits_and_no_two_layers_alike():
    build = lambda seed: MLP(width=16, depth=3, norm="batch").build(SHAPE, 10, seed=seed)  # noqa: E731
    a, b, c = (build(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["stem.0.weight"], c["stem.0.weight"])
    assert not torch.equal(a["blocks.0.branch.0.weight"], a["blocks.1.branch.0.weight"])


def test_building_and_drawing_afresh_leave_the_global_random_state_untouched():
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(3, 3))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network = MLP(width=8, depth=2, norm="batch", dropout=0.1).build(SHAPE, 10, seed=0)
    reinitialise(other, 7)
    initialise(network, 9)
    assert torch.equal(torch.get_rng_state(), before)


def test_initialise_resets_norms_and_says_what_to_use_where_there_is_no_linear_layer():
    network = MLP(width=8, depth=1, norm="batch").build(SHAPE, 10, seed=4)
    start = {name: value.clone() for name, value in network.state_dict().items()}
    for value in network.state_dict().values():
        value.fill_(3)
    network.normalise.load_state_dict({"scale": start["normalise.scale"], "shift": start["normalise.shift"]})
    initialise(network, 4)
    assert all(torch.equal(value, start[name]) for name, value in network.state_dict().items())
    with pytest.raises(ValueError, match=r"reinitialise\(module, seed\)"):
        initialise(nn.ReLU(), 0)


def test_reinitialise_draws_every_layer_from_its_own_stream_of_seed_and_name():
    def make():
        return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))

    a, b, c = make(), make(), make()
    a[1].running_mean.fill_(3)
    reinitialise(a, 1)
    reinitialise(b, 1)
    reinitialise(c, 2)
    assert all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )
    assert not torch.equal(a[0].weight, a[2].weight)
    assert not torch.equal(a[0].weight, c[0].weight)
    assert not a[1].running_mean.any()


def test_reinitialise_names_the_layer_that_cannot_start_afresh():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

    with pytest.raises(ValueError, match="layer '1' holds parameters but has no reset_parameters"):
        reinitialise(nn.Sequential(nn.Linear(2, 2), Own()), 0)
