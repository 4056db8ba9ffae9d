"""Tiny data whose classes another network can learn, and small networks."""

import torch
from torch import nn

from gradlab.data import Dataset, from_tensors
from gradlab.models import CNN, MLP

SHAPE = (1, 6, 6)


def bars(classes: int = 4, count: int = 100, *, seed: int = 0, name: str = "bars") -> Dataset:
    """Images (N, 1, 6, 6) whose class is the bright row."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    images = torch.randint(0, 120, (count, *SHAPE), generator=generator, dtype=torch.uint8)
    for row, label in enumerate(labels.tolist()):
        images[row, :, label] += 100
    return from_tensors(images, labels, name=name)


def cnn(classes: int = 3, seed: int = 0) -> nn.Module:
    """A network of two stages with batch norms whose statistics are not those of a start."""
    network = CNN(widths=(4, 6)).build(SHAPE, classes, seed=seed, mean=(0.3,), std=(0.25,))
    network.train()
    with torch.no_grad():
        network(torch.rand(30, *SHAPE, generator=torch.Generator().manual_seed(seed)))
    return network.eval()


def mlp(classes: int = 3, seed: int = 0) -> nn.Module:
    return MLP(width=8, depth=2).build(SHAPE, classes, seed=seed)


def plain(classes: int = 3) -> nn.Module:
    """A user's module, not of gradlab's builders."""
    with torch.random.fork_rng():
        torch.random.manual_seed(5)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, classes),
        )  # fmt: skip


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)
