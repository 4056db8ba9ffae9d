"""The steps of a network, run by plain PyTorch, give the network's bits."""

import itertools

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.models.steps import steps_of
from gradlab.types import UserError

CONFIGS = [
    MLP(
        width=6, depth=4, norm=norm, activation=activation, residual=residual, dropout=0.3,
        activation_place=place, layers_per_block=2,
    )
    for (norm, place), (activation, residual) in zip(
        itertools.cycle(itertools.product(("none", "batch", "layer"), ("inside", "after-sum"))),
        itertools.product(("relu", "tanh", "sigmoid", "leaky-relu", "gelu"), (False, True)),
        strict=False,
    )
] + [MLP(widths=(9, 4, 7)), MLP(depth=0), MLP(depth=1, stem_activation=False)]  # fmt: skip


def run(steps, state, images):
    values = {**state, "images": images}
    for name, operation, arguments in steps:
        given = [values[one] if isinstance(one, str) else one for one in arguments]
        values[name] = getattr(torch.ops.aten, operation)(*given)
    return values["logits"]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_steps_give_the_bits_of_the_network(config):
    network = config.build((3, 5, 4), 7, seed=1, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.1))
    network(torch.rand(16, 3, 5, 4))
    network.eval()
    for count in (1, 2, 33):
        images = torch.rand(count, 3, 5, 4)
        assert torch.equal(run(steps_of(network), network.state_dict(), images), network(images))


def test_every_argument_is_there_before_it_is_used():
    network = MLP(depth=4, norm="batch", residual=True).build((1, 8, 8), 10, seed=0)
    known = {*network.state_dict(), "images"}
    for name, _, arguments in steps_of(network):
        assert {one for one in arguments if isinstance(one, str)} <= known
        assert name not in known
        known.add(name)
    assert "logits" in known


def test_a_layer_that_was_put_in_is_refused():
    network = MLP(depth=1).build((1, 8, 8), 10, seed=0)
    network.stem.append(nn.Softplus())
    with pytest.raises(
        UserError, match=r"layer 'stem.2' \(Softplus\).* export to torch-export or onnx instead"
    ):
        steps_of(network)
