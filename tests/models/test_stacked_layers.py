"""Layers with a leading seed axis against PyTorch's own, one by one; masks of dropout by seed."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.models.stacked_layers import (
    StackedBatchNorm,
    StackedDropout,
    StackedLayerNorm,
    StackedLinear,
    state_of,
)
from gradlab.types import derive_seed

KINDS = {
    "linear": (StackedLinear, lambda: nn.Linear(4, 3)),
    "linear without bias": (StackedLinear, lambda: nn.Linear(4, 3, bias=False)),
    "layer norm": (StackedLayerNorm, lambda: nn.LayerNorm(4, eps=1e-3)),
    "batch norm": (StackedBatchNorm, lambda: nn.BatchNorm1d(4, eps=1e-3, momentum=0.3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_output_gradients_and_statistics_equal_pytorch_s_layers(kind):
    stacked_kind, make = KINDS[kind]
    layers = [make().double() for _ in range(3)]
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
    features = torch.randn(3, 8, 4, dtype=torch.float64, requires_grad=True)
    stacked = stacked_kind(deepcopy(layers))
    for _ in range(3):  # running statistics move on
        stacked.zero_grad()
        output = stacked(features)
        output.square().sum().backward()
    for index, layer in enumerate(layers):
        mine = features.detach()[index].clone().requires_grad_()
        for _ in range(3):
            layer.zero_grad()
            expected = layer(mine)
            expected.square().sum().backward()
        torch.testing.assert_close(output[index], expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(features.grad[index], mine.grad, rtol=1e-12, atol=1e-12)
        for name, parameter in layer.named_parameters():
            gradient = dict(stacked.named_parameters())[name].grad[index]
            if isinstance(layer, nn.Linear):  # weight (in, out), bias (1, out)
                gradient = gradient.mT if name == "weight" else gradient[0]
            torch.testing.assert_close(gradient, parameter.grad, rtol=1e-12, atol=1e-12)
        for name, buffer in layer.named_buffers():
            torch.testing.assert_close(
                dict(stacked.named_buffers())[name][index], buffer, rtol=1e-12, atol=1e-12
            )


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_of_one_network_is_that_of_the_layer_it_came_from(kind):
    stacked_kind, make = KINDS[kind]
    layers = [make() for _ in range(3)]
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
    stacked = stacked_kind(layers)
    for index, layer in enumerate(layers):
        state = state_of(stacked, index)
        assert state.keys() == layer.state_dict().keys()
        assert all(torch.equal(state[name], value) for name, value in layer.state_dict().items())


def test_batch_norm_in_eval_uses_the_running_statistics_and_moves_nothing():
    layers = [nn.BatchNorm1d(4) for _ in range(2)]
    for number, layer in enumerate(layers):
        layer.running_mean.fill_(number + 1.0)
        layer.running_var.fill_(4.0)
    stacked = StackedBatchNorm(layers).eval()
    output = stacked(torch.zeros(2, 3, 4))
    torch.testing.assert_close(output[0], torch.full((3, 4), -0.5), rtol=1e-5, atol=0)
    torch.testing.assert_close(output[1], torch.full((3, 4), -1.0), rtol=1e-5, atol=0)
    assert stacked.running_mean[:, 0].tolist() == [1.0, 2.0]


def test_the_dropout_mask_of_a_seed_depends_on_its_own_seed_and_name_alone():
    layer = StackedDropout([nn.Dropout(0.5)] * 3).train()
    features = torch.ones(3, 50, 20)

    def masks(seeds, *names):
        layer.reseed(seeds, *names)
        return layer(features[: len(seeds)])

    whole = masks((1, 2, 3), 1, "stem.2")
    assert torch.equal(masks((3, 1), 1, "stem.2"), whole[[2, 0]])
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(masks((1, 2, 3), 2, "stem.2"), whole)
    assert not torch.equal(masks((1, 2, 3), 1, "blocks.0"), whole)
    assert set(whole.unique().tolist()) == {0.0, 2.0}
    assert abs(float((whole == 0).float().mean()) - 0.5) < 0.05  # 5 standard errors of 3,000 draws
    assert torch.equal(layer.eval()(features), features)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout_zeroes_what_the_stream_says_and_rescales_the_rest(dtype):
    layer = StackedDropout([nn.Dropout(0.3)] * 2).train()
    layer.reseed((4, 5), "stem.2")
    features = torch.full((2, 6, 5), 1.5, dtype=dtype, requires_grad=True)
    output = layer(features)
    output.sum().backward()
    for index, seed in enumerate((4, 5)):
        stream = torch.Generator().manual_seed(derive_seed(seed, "dropout", "stem.2"))
        kept = torch.rand(6, 5, generator=stream) >= 0.3
        expected = torch.where(kept, 1.5 / 0.7, 0.0).to(dtype)
        torch.testing.assert_close(output[index].detach(), expected)
        torch.testing.assert_close(features.grad[index], torch.where(kept, 1 / 0.7, 0.0).to(dtype))


def test_dropout_of_everything_leaves_zeros_as_pytorch_s_does():
    layer = StackedDropout([nn.Dropout(1.0)]).train()
    layer.reseed((0,))
    assert torch.equal(layer(torch.ones(1, 4, 3)), nn.Dropout(1.0)(torch.ones(1, 4, 3)))


def test_dropout_without_streams_is_refused():
    with pytest.raises(ValueError, match="call reseed"):
        StackedDropout([nn.Dropout(0.5)]).train()(torch.ones(1, 2, 3))
