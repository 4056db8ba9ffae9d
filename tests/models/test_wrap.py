"""A user's own module behind its normalisation."""

import pytest
import torch
from torch import nn

from gradlab.models import wrap


def net(classes=3):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, classes))


def test_the_wrapped_module_sees_normalised_images():
    module, images = net(), torch.rand(2, 3, 4, 4)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    normalised = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    torch.testing.assert_close(wrap(module, mean, std)(images), module(normalised))
    assert torch.equal(wrap(module)(images), module(images))


def test_it_shares_the_parameters_and_leaves_the_mode_of_the_module():
    module = net().eval()
    wrapped = wrap(module)
    assert [id(p) for p in wrapped.parameters()] == [id(p) for p in module.parameters()]
    assert not module.training


def test_wrong_modules_are_refused_with_what_to_do():
    class Pair(nn.Module):
        def forward(self, images):
            return images, images

    with pytest.raises(ValueError, match=r"expects a torch.nn.Module, got function"):
        wrap(lambda x: x)
    with pytest.raises(ValueError, match="wrapped already"):
        wrap(wrap(net()))
    with pytest.raises(ValueError, match=r"one tensor of logits .* got tuple"):
        wrap(Pair())(torch.rand(2, 3, 4, 4))
    with pytest.raises(ValueError, match="returns 3 logits, but 2 class names"):
        wrap(net(), class_names=("a", "b"))(torch.rand(2, 3, 4, 4))
    with pytest.raises(ValueError, match="std must be positive"):
        wrap(net(), (0.5,), (-1.0,))
