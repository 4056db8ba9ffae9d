"""A chain does what its modules do, bit for bit, and steps aside where something between layers is asked for."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from gradlab.models import MLP
from gradlab.models.chain import Chain, chain_of
from gradlab.models.stack import stack

SHAPE = (2, 3, 3)
CONFIGS = [
    MLP(
        width=5, depth=4, activation=activation, residual=residual, activation_place=place, layers_per_block=layers,
        stem_activation=layers == 2,
    )
    for activation, residual, place, layers in itertools.product(
        ("relu", "tanh", "sigmoid"), (False, True), ("inside", "after-sum"), (1, 2)
    )
]  # fmt: skip


def stacked(config, seeds=3):
    return stack([config.build(SHAPE, 4, seed=seed) for seed in range(seeds)])


def features(seeds=3, **kind):
    return torch.randn(seeds, 7, 18, generator=torch.Generator().manual_seed(1), **kind)


def logits_and_gradients(network, body, inputs):
    found = body(inputs)
    generator = torch.Generator().manual_seed(2)
    weighted = (found * torch.randn(found.shape, generator=generator)).sum()
    return [found.detach(), *torch.autograd.grad(weighted, list(network.parameters()))]


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("config", [*CONFIGS, MLP(depth=0), MLP(widths=(6, 3, 4))], ids=str)
def test_the_same_bits_as_the_modules(config, seeds):
    network = stacked(config, seeds)
    chain = chain_of(network)
    assert chain is not None
    inputs = features(seeds)
    before = inputs.clone()
    expected = logits_and_gradients(network, network.body, inputs)
    for _ in range(2):
        found = logits_and_gradients(network, chain, inputs)
        assert all(map(torch.equal, found, expected))
    assert all(one.abs().sum() > 0 for one in expected)
    assert torch.equal(inputs, before)


@pytest.mark.parametrize(
    "config",
    [
        MLP(norm="batch"),
        MLP(norm="layer"),
        MLP(dropout=0.5),
        MLP(activation="gelu"),
        MLP(activation="leaky-relu"),
    ],
    ids=str,
)
def test_other_layers_make_no_chain(config):
    assert chain_of(stacked(config)) is None


def test_a_large_network_makes_no_chain_since_all_gradients_at_once_take_memory():
    assert chain_of(stacked(MLP(widths=(1000, 1000)), seeds=1)) is not None  # 1,024,004 numbers
    assert chain_of(stacked(MLP(widths=(1000, 1000)), seeds=2)) is None


def two_activations(network):
    network.blocks[0].after = nn.Tanh()


def activation_before_head(network):
    network.head = nn.Sequential(nn.Tanh(), network.head)


def activation_after_head(network):
    network.head = nn.Sequential(network.head, nn.Sigmoid())


def activation_in_front(network):
    network.stem.insert(0, nn.ReLU())


def before_the_branch(network):
    network.blocks[0].branch.insert(0, nn.Tanh())


def idle_layer(network):
    network.idle = nn.Linear(3, 3)


def own_forward(network):
    network.blocks[0].forward = lambda inputs: inputs


def own_body(network):
    network.body = lambda inputs: inputs


def frozen(network):
    network.stem[0].bias.requires_grad_(False)


EDITS = [
    two_activations, activation_before_head, activation_after_head, activation_in_front, before_the_branch, idle_layer,
    own_forward, own_body, frozen,
]  # fmt: skip


ON_A_SUM = [two_activations, activation_before_head]


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_network_makes_no_chain_or_a_right_one(edit, residual):
    network = stacked(MLP(activation="sigmoid", residual=residual))
    assert chain_of(network) is not None
    edit(network)
    chain = chain_of(network)
    if not (residual and edit in ON_A_SUM):
        assert chain is None
    else:
        expected = logits_and_gradients(network, network.body, features())
        assert all(map(torch.equal, logits_and_gradients(network, chain, features()), expected))


def test_layers_in_another_order_of_names_keep_their_weights():
    network = stacked(MLP(activation="tanh"))
    stem = network.stem
    del network.stem
    network.stem = stem
    expected = logits_and_gradients(network, network.body, features())
    assert all(map(torch.equal, logits_and_gradients(network, chain_of(network), features()), expected))


def test_it_steps_aside_for_whoever_looks():
    network = stacked(MLP())
    chain = chain_of(network)
    assert isinstance(chain, Chain)
    assert chain.fits(features())
    assert not chain.fits(features().requires_grad_())
    with torch.no_grad():
        assert not chain.fits(features())
    with torch.autocast("cpu", torch.bfloat16):
        assert not chain.fits(features())
    for module, register in itertools.product(
        (network, network.blocks[0].after, network.head),
        ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"),
    ):
        handle = getattr(module, register)(lambda *_: None)
        assert not chain.fits(features())
        handle.remove()
    handle = register_module_forward_hook(lambda *_: None)
    assert not chain.fits(features())
    handle.remove()
    assert chain.fits(features())


def test_a_changed_input_is_refused_rather_than_wrong():
    inputs = features()
    found = chain_of(stacked(MLP()))(inputs)
    inputs.mul_(0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.sum().backward()


def test_a_second_way_back_is_refused():
    found = chain_of(stacked(MLP()))(features())
    found.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="once; call the network again"):
        found.sum().backward()


def test_a_second_derivative_is_refused_rather_than_wrong():
    network = stacked(MLP())
    chain = chain_of(network)
    (first, *_) = torch.autograd.grad(
        chain(features()).square().sum(), list(network.parameters()), create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
