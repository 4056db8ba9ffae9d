"""Parts of a network from input to head, and new heads on kept or fresh weights."""

import pytest
import torch
from torch import nn

from gradlab.models import MLP, ViT, build, wrap
from gradlab.transfer import parts_of, with_new_head
from gradlab.types import UserError
from tests.transfer.examples import SHAPE, cnn, equal, mlp, plain


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (cnn(), ["stem.0", "blocks.0.0", "blocks.1.0", "head"]),
        (mlp(), ["stem.0", "blocks.0", "blocks.1", "head"]),
        (plain(), ["0", "3", "8"]),
        (wrap(plain()), ["module.0", "module.3", "module.8"]),
        (ViT(patch=3, width=8, depth=2, heads=2).build(SHAPE, 3, seed=0), ["tokens", "blocks.0", "blocks.1", "head"]),
        (build("resnet20"), ["conv1", *(f"layer{s}.{b}" for s in (1, 2, 3) for b in range(3)), "linear"]),
        (build("resnet18"), ["conv1", *(f"layer{s}.{b}" for s in (1, 2, 3, 4) for b in range(2)), "fc"]),
    ],
)  # fmt: skip
def test_parts_are_blocks_in_order_and_hold_every_parameter_once(network, names):
    parts = parts_of(network)
    assert [part.name for part in parts] == names
    held = [name for part in parts for name in part.parameters]
    assert sorted(held) == sorted(name for name, _ in network.named_parameters())


def test_a_norm_belongs_to_what_it_normalises_and_loose_parameters_to_the_first_part():
    class Loose(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.zeros(36))
            self.first, self.norm, self.head = nn.Linear(36, 4), nn.LayerNorm(4), nn.Linear(4, 3)

    first, head = parts_of(Loose())
    assert first.parameters == ("first.weight", "first.bias", "norm.weight", "norm.bias", "token")
    assert head.parameters == ("head.weight", "head.bias")


@pytest.mark.parametrize("make", [cnn, mlp])
def test_a_new_head_keeps_all_else_bit_for_bit_and_starts_as_a_fresh_networks(make):
    network = make()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = with_new_head(network, 7, seed=4)
    fresh = make(7).config.build(SHAPE, 7, seed=4)
    for name, value in found.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name] if name.startswith("head.") else before[name]), (
            name
        )
    assert found(torch.rand(2, *SHAPE)).shape == (2, 7)
    assert equal(network.state_dict(), before)


def test_from_scratch_keeps_the_normalisation_alone():
    network = cnn()
    found, fresh = with_new_head(network, 7, seed=4, fresh=True), network.config.build(SHAPE, 7, seed=4)
    for name, value in found.state_dict().items():
        wanted = network.state_dict() if name.startswith("normalise.") else fresh.state_dict()
        assert torch.equal(value, wanted[name]), name
    assert float(found.normalise.scale) == pytest.approx(4.0)


def test_a_module_of_ones_own_gets_a_new_last_layer_of_its_own_seed():
    network = plain()
    one, other = (with_new_head(network, 6, seed=seed) for seed in (1, 2))
    assert one[8].out_features == 6
    assert torch.equal(one[0].weight, network[0].weight)
    assert torch.equal(with_new_head(network, 6, seed=1)[8].weight, one[8].weight)
    assert not torch.equal(one[8].weight, other[8].weight)
    assert float(one[8].weight.detach().abs().max()) <= 1 / 5**0.5  # PyTorch's bound, 1 / sqrt(fan in)
    scratch = with_new_head(network, 6, seed=1, fresh=True)
    assert not torch.equal(scratch[0].weight, network[0].weight)
    assert network[8].out_features == 3


def test_all_of_a_copy_trains_and_class_names_of_old_classes_go():
    network = wrap(plain(), class_names=("a", "b", "c"))
    network.requires_grad_(False)
    made = with_new_head(network, 4, seed=0)
    assert all(one.requires_grad for one in made.parameters())
    assert made(torch.rand(2, *SHAPE)).shape == (2, 4)
    assert network.class_names == ("a", "b", "c")
    assert not any(one.requires_grad for one in network.parameters())


def test_what_has_no_head_or_nothing_else_is_refused():
    with pytest.raises(UserError, match="no linear layer inside it"):
        parts_of(nn.Linear(3, 2))
    with pytest.raises(UserError, match="a head and nothing else"):
        parts_of(nn.Sequential(nn.Flatten(), nn.Linear(36, 3)))
    with pytest.raises(UserError, match="at least two classes, got 1"):
        with_new_head(MLP().build(SHAPE, 3, seed=0), 1, seed=0)
