"""ODIN against a gradient by hand and by finite differences; the network is left as it was."""

import numpy as np
import pytest
import torch

from gradlab.detection import ODIN, max_softmax, odin
from gradlab.detection.odin import _gradient
from gradlab.types import UserError
from tests.detection.examples import images, net


class Linear(torch.nn.Module):
    """Two classes: the gradient of the loss by the image has the sign of the weights' difference, times the prediction."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-2, 1.5, 36).double().reshape(36, 1))

    def forward(self, pictures):
        found = pictures.flatten(1) @ self.weight
        return torch.cat([found, torch.zeros_like(found)], dim=1)


@pytest.mark.parametrize("temperature", [1.0, 10.0])
@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_a_linear_network_is_moved_towards_its_prediction(temperature, eps):
    """Its logit gap moves by eps times the L1 norm of the weights, away from the border."""
    network, pictures = Linear(), images().double()
    gap = (pictures.flatten(1) @ network.weight).detach().squeeze(1)
    moved = gap + eps * network.weight.abs().sum().item() * gap.sign()
    expected = 1 - torch.sigmoid(moved.abs() / temperature)
    np.testing.assert_allclose(odin(network, pictures, temperature, eps), expected.detach(), rtol=1e-6)


def test_the_step_follows_the_gradient_of_the_predicted_class_at_that_temperature():
    network, pictures, temperature, eps = net(), images(), 5.0, 2 / 255
    own = pictures.clone().requires_grad_(True)
    chosen = (network(own) / temperature).log_softmax(1).max(1).values
    (gradient,) = torch.autograd.grad(-chosen.sum(), own)
    with torch.no_grad():
        logits = network(pictures - eps * gradient.sign())
    found = ODIN(temperature=temperature, eps=eps).fit(network).score(pictures)
    np.testing.assert_allclose(found, max_softmax(logits, temperature), rtol=1e-6)
    assert (found <= odin(network, pictures, temperature, 0.0) + 1e-9).all()  # surer after the step


def test_batches_bytes_and_an_inference_mode_around_it_change_nothing():
    network, pictures = net(), (images() * 255).to(torch.uint8)
    whole = odin(network, pictures, 10.0, 0.01)
    with torch.inference_mode():
        np.testing.assert_allclose(odin(network, pictures, 10.0, 0.01, batch_size=7), whole, rtol=1e-6)
    np.testing.assert_allclose(odin(network, pictures / 255, 10.0, 0.01), whole, rtol=1e-6)


def test_the_network_is_left_as_it_was():
    network = net().train()
    network.norm.eval()
    kept = {name: one.clone() for name, one in network.state_dict().items()}
    odin(network, images(), 1000.0, 0.01)
    assert [network.training, network.norm.training, network.drop.training] == [True, False, True]
    assert all(torch.equal(one, kept[name]) for name, one in network.state_dict().items())
    assert all(one.grad is None and one.requires_grad for one in network.parameters())


@pytest.mark.parametrize(
    ("pictures", "temperature", "eps", "sentence"),
    [
        (images(), 10.0, 8.0, "For 8 grey levels write 8/255"),
        (images(), 0.0, 0.0, "temperature must be a positive number"),
        (images() * 4 - 1, 10.0, 0.0, "before normalisation"),
        (images()[:0], 10.0, 0.0, "no images"),
    ],
)
def test_what_is_no_image_temperature_or_step_is_refused(pictures, temperature, eps, sentence):
    with pytest.raises(UserError, match=sentence):
        odin(net(), pictures, temperature, eps)


class Sure(torch.nn.Module):
    """Two classes whose logits differ by a hundred times the mean of the pixels, or by as much less."""

    def __init__(self, scale):
        super().__init__()
        self.weight = torch.nn.Parameter(scale * torch.linspace(-1, 2, 36).reshape(36, 1))

    def forward(self, pictures):
        found = pictures.flatten(1) @ self.weight
        return torch.cat([found, torch.zeros_like(found)], dim=1)


def test_of_a_network_that_is_very_sure_the_step_has_the_sign_of_one_that_is_not():
    """The probability is 1 in float32, and its gradient would be 0; the sign is that of the weights."""
    for scale in (0.01, 100.0):
        network = Sure(scale)
        found = _gradient(network, images(), 1.0).flatten(1).sign()
        predicted = network(images()).argmax(1)
        expected = -network.weight.detach().squeeze(1).sign() * (1 - 2 * predicted[:, None])
        torch.testing.assert_close(found, expected)


def test_a_network_that_writes_to_its_images_changes_neither_them_nor_the_score():
    plain, pictures = net(), images()
    writing = torch.nn.Sequential(Shift(), plain)
    kept = pictures.clone()
    np.testing.assert_array_equal(
        odin(writing, pictures, 10.0, 0.01), odin(torch.nn.Sequential(Shifted(), plain), pictures, 10.0, 0.01)
    )
    assert torch.equal(pictures, kept)


class Shift(torch.nn.Module):
    def forward(self, pictures):
        return pictures.sub_(0.1)


class Shifted(torch.nn.Module):
    def forward(self, pictures):
        return pictures - 0.1
