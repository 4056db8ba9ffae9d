import pytest
import torch
from torch import nn

from gradlab.attacks._goal import Goal, look
from gradlab.models import CNN
from gradlab.models.light import Light, light
from tests.attacks.examples import generator, images, labels_of, small


def trained(seed=0):
    """A residual CNN whose statistics are not those of the start."""
    network = CNN(widths=(4, 8), blocks=2, residual=True).build((2, 8, 8), 4, seed=seed)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-1, 1, generator=generator(seed))
            layer.running_var.uniform_(0.5, 2, generator=generator(seed))
    return network.eval()


def test_logits_and_gradients_are_those_of_the_network_up_to_rounding():
    network, batch = trained().double(), images(20, shape=(2, 8, 8))
    quick = light(network, batch)
    assert isinstance(quick, Light)
    goal = Goal(labels_of(network, batch), None)
    one, other = (look(model, batch, goal, gradient=True) for model in (network, quick))
    torch.testing.assert_close(one.logits, other.logits, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(one.gradient, other.gradient, rtol=1e-9, atol=1e-10)


def test_every_norm_behind_a_convolution_is_folded_and_the_network_itself_is_not_touched():
    network, batch = trained(), images(4, shape=(2, 8, 8), dtype=torch.float32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layers = [type(layer) for layer in network.modules()]
    addresses = [value.data_ptr() for value in network.parameters()]
    quick = light(network, batch)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in quick.network.modules())
    assert not any(value.requires_grad for value in quick.network.parameters())
    assert [type(layer) for layer in network.modules()] == layers
    assert [value.data_ptr() for value in network.parameters()] == addresses
    assert all(value.requires_grad for value in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.modules())


def test_a_layer_that_is_kept_puts_out_the_same():
    network, batch = trained(), images(4, shape=(2, 8, 8), dtype=torch.float32)
    found = {}
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            continue
        quick = light(network, batch, keep=name)
        handles = [
            one.get_submodule(name).register_forward_hook(
                lambda _layer, _inputs, output, side=side: found.update({side: output})
            )
            for side, one in (("own", network), ("copy", quick.network))
        ]
        with torch.no_grad():
            network(batch), quick(batch)
        for handle in handles:
            handle.remove()
        torch.testing.assert_close(found["own"], found["copy"], rtol=1e-4, atol=1e-4)


class Twice(nn.Module):
    """One norm for two convolutions: neither can take it in."""

    def __init__(self):
        super().__init__()
        self.one, self.other, self.norm = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)
        self.norm.running_mean.fill_(0.5)
        self.head = nn.Linear(40, 4)

    def forward(self, batch):
        return self.head(self.norm(self.other(self.norm(self.one(batch)))).flatten(1).repeat(1, 1))


class Reused(nn.Module):
    """What the convolution returns goes on besides the norm."""

    def __init__(self):
        super().__init__()
        self.one, self.norm, self.head = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Linear(40, 4)
        self.norm.running_mean.fill_(0.5)

    def forward(self, batch):
        raw = self.one(batch)
        return self.head((self.norm(raw) + raw).flatten(1))


@pytest.mark.parametrize("form", [Twice, Reused])
def test_a_norm_that_cannot_be_folded_stays_and_the_function_is_the_same(form):
    torch.manual_seed(0)
    network, batch = form().eval(), images(5, dtype=torch.float32)
    quick = light(network, batch)
    torch.testing.assert_close(quick(batch), network(batch))
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in quick.network.modules())


class Noisy(nn.Module):
    def forward(self, batch):
        return batch.flatten(1)[:, :4] + torch.rand(len(batch), 4)


class Cut(nn.Module):
    def forward(self, batch):
        return batch.detach().flatten(1)[:, :4]


class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)

    def forward(self, batch):
        return self.norm(self.one(batch)).view(len(batch), -1)[:, :4]  # refuses channels-last


def test_what_might_differ_is_used_as_it_is():
    batch = images(4, dtype=torch.float32)
    hooked = small(dtype=torch.float32).eval()
    hooked[0].register_forward_hook(lambda _layer, _inputs, output: output * 2)
    for network in (Noisy(), hooked):
        assert light(network, batch) is network


def test_a_network_that_refuses_channels_last_is_folded_all_the_same():
    batch = images(4, dtype=torch.float32)
    quick = light(Views().eval(), batch)
    assert isinstance(quick, Light)
    assert quick.format == torch.contiguous_format
    assert isinstance(quick.network.norm, nn.Identity)


def test_a_cut_gradient_stays_cut():
    batch = images(4, dtype=torch.float32)
    quick = light(Cut(), batch)
    assert not quick(batch.requires_grad_()).requires_grad


def test_a_network_that_fails_is_left_to_fail_by_itself():
    network = nn.Linear(3, 2)
    assert light(network, images(2, dtype=torch.float32)) is network
