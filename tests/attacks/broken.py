"""Defences that are known to be broken, and the network that they are built around."""

import torch
from torch import nn

from gradlab.data import load
from gradlab.models import CNN, MLP
from gradlab.training import Recipe, fit

EPS = 16 / 255


def trained(config=None, objective=None, seed=0, epochs=4):
    """A small network that classifies the digits, in eval mode."""
    digits = load("digits")
    config = config or CNN(widths=(8, 16))
    network = config.build((1, 8, 8), 10, seed=seed, mean=digits.mean, std=digits.std)
    recipe = Recipe(epochs=epochs, batch_size=64, learning_rate=1e-2, keep="last")
    return fit(network, digits, recipe, seed=seed, objective=objective, progress=False, device="cpu").model


def small_mlp():
    return trained(MLP(width=24, depth=1), epochs=6)


class Quantised(nn.Module):
    """Rounds the input to a few grey levels, whose derivative is zero."""

    def forward(self, images):
        return (images * 4).round() / 4


class SoftmaxTimes(nn.Module):
    """Probabilities, multiplied."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, logits):
        return self.factor * logits.softmax(1)


class Times(nn.Module):
    """Logits, multiplied: the cross-entropy saturates."""

    def forward(self, logits):
        return 1e4 * logits


class Noise(nn.Module):
    """A random layer at test time."""

    def forward(self, images):
        return images + 0.1 * torch.randn(images.shape)


class Detached(nn.Module):
    """Cuts the gradient off."""

    def forward(self, images):
        return images.detach()


class Step(nn.Module):
    """A step at half the range, where the derivative is zero."""

    def forward(self, images):
        return (images - 0.5).sign()


class Saturated(nn.Module):
    """A squashing so steep that hardly any pixel has a gradient, and what there is leads nowhere."""

    def forward(self, images):
        return torch.sigmoid(2000 * (images - 0.5))


class Descending(nn.Module):
    """Moves the input along a gradient of its own before it is classified."""

    def forward(self, images):
        with torch.enable_grad():
            leaf = images.detach().requires_grad_()
            (leaf.square().sum() / 2).backward()
        return images - 0.01 * leaf.grad


class Mirror(torch.autograd.Function):
    """Hands images on, and turns their gradient round."""

    @staticmethod
    def forward(_, images):
        return images.clone()

    @staticmethod
    def backward(_, gradient):
        return gradient.flip(-1, -2)


class Mirrored(nn.Module):
    """Passes images on as they are, and the gradient mirrored, so that attacks by gradients change the wrong pixels."""

    def forward(self, images):
        return Mirror.apply(images)


def defences(network):
    """Name -> (broken network, check that must say so, a word of the reason)."""
    return {
        "quantised input": (nn.Sequential(Quantised(), network), "gradients", "rounded, quantised"),
        "softmax": (nn.Sequential(network, SoftmaxTimes(1)), "logits", "look like probabilities:"),
        "softmax times 1e4": (nn.Sequential(network, SoftmaxTimes(1e4)), "logits", "probabilities times 1e"),
        "logits times 1e4": (nn.Sequential(network, Times()), "gradients", "loss is saturated"),
        "noise": (nn.Sequential(Noise(), network), "deterministic", "other outputs each time"),
        "detached": (nn.Sequential(Detached(), network), "gradients", "cut off from the images"),
        "step": (nn.Sequential(Step(), network), "gradients", "passes a step"),
        "descending": (nn.Sequential(Descending(), network), "no gradients inside", "inside forward()"),
        "saturated": (nn.Sequential(Saturated(), network), "gradients", "saturated"),
    }
