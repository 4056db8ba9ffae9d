"""Features, logits and small networks for the tests of detectors."""

import numpy as np
import torch
from torch import nn

from gradlab.detection import Head


def logits(count=50, classes=6, seed=0):
    return np.random.default_rng(seed).normal(size=(count, classes)) * 4


def labelled(count=120, width=5, classes=3, seed=0):
    """Features of three shifted, correlated clouds, none negative, and their classes."""
    stream = np.random.default_rng(seed)
    groups = np.arange(count) % classes
    mixed = stream.normal(size=(count, width)) @ stream.normal(size=(width, width))
    return np.abs(mixed + 3 * np.eye(classes, width)[groups]), groups


def foreign(count=40, width=5, seed=9):
    return np.abs(np.random.default_rng(seed).normal(size=(count, width)) * 5)


def head(classes=3, width=5, seed=1):
    stream = np.random.default_rng(seed)
    return Head(stream.normal(size=(classes, width)), stream.normal(size=classes))


class Net(nn.Module):
    """A small network of a hidden layer with batch norm and dropout, for images (N, 1, 6, 6)."""

    def __init__(self, classes=3, width=5):
        super().__init__()
        self.first, self.norm, self.drop = nn.Linear(36, width), nn.BatchNorm1d(width), nn.Dropout(0.5)
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        return self.head(self.drop(torch.relu(self.norm(self.first(images.flatten(1))))))


def net(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Net()
        made.norm.running_mean.normal_()
    return made.eval()


def images(count=30, seed=3):
    return torch.rand(count, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
