"""Tiny data, tiny networks, and the plain notebook loop that `fit` is held against."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.data import Dataset, Split, from_tensors, order

SHAPE, CLASSES = (1, 4, 4), 3


def blobs(count: int = 150, *, seed: int = 0, noise: float = 40.0) -> Dataset:
    """Images of three classes that a small net can learn: a bright third each, with noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = 60.0 + noise * torch.randn(count, *SHAPE, generator=generator)
    for row, label in enumerate(labels.tolist()):
        images[row, 0, label] += 60
    return from_tensors(images.clamp(0, 255).to(torch.uint8), labels, name="blobs")


def notebook(
    model: nn.Module,
    train: Split,
    make_optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
    *,
    seed: int,
    epochs: int,
    batch_size: int,
    smoothing: float = 0.0,
    clip: float | None = None,
    rates: Callable[[int], float] | None = None,
    ema: float | None = None,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    """Train as anyone would in a notebook; returns the state (of the average, if there is one)."""
    model = deepcopy(model).to(dtype).train()
    average = deepcopy(model)
    optimizer = make_optimizer([p for p in model.parameters() if p.requires_grad])
    step = 0
    for epoch in range(1, epochs + 1):
        for chosen in order(len(train), seed=seed, epoch=epoch).split(batch_size):
            if rates is not None:
                optimizer.param_groups[0]["lr"] = rates(step)
            logits = model(train.images[chosen].to(dtype) / 255)
            loss = functional.cross_entropy(logits, train.labels[chosen], label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            step += 1
            if ema is not None:
                for mine, theirs in zip(average.parameters(), model.parameters(), strict=True):
                    mine.data = ema * mine.data + (1 - ema) * theirs.data
                for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
                    floating = mine.is_floating_point()
                    mine.data = ema * mine.data + (1 - ema) * theirs.data if floating else theirs.data.clone()
    return (model if ema is None else average).state_dict()


def assert_states_close(mine: dict[str, Tensor], theirs: dict[str, Tensor], tolerance: float) -> None:
    """Every tensor agrees within `tolerance`, relative to its largest value."""
    assert list(mine) == list(theirs)
    for name, value in mine.items():
        scale = float(theirs[name].abs().max()) + 1e-300
        assert float((value - theirs[name]).abs().max()) <= tolerance * scale, name


def without_idle_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what batch norm takes away again: the bias before it, and the running mean, which follows that bias.

    Its true gradient is 0, so that Adam, which divides by the gradient's size, walks along rounding errors.
    """
    norms = {name.removesuffix(".running_mean") for name in state if name.endswith(".running_mean")}
    before = {f"{place}.{int(number) - 1}.bias" for place, number in (norm.rsplit(".", 1) for norm in norms)}
    return {
        name: value
        for name, value in state.items()
        if name not in before and not name.endswith("running_mean")
    }


def assert_states_equal(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    """Every tensor agrees bit for bit."""
    assert list(mine) == list(theirs)
    for name, value in mine.items():
        assert value.dtype == theirs[name].dtype
        assert torch.equal(value, theirs[name]), name


def small_cnn() -> nn.Module:
    """A user's module with batch norm, dropout, tied weights and an integer buffer."""
    generator = torch.Generator().manual_seed(3)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.drop = nn.Dropout(0.2)
            self.first = nn.Linear(4, 4)
            self.second = nn.Linear(4, 4)
            self.second.weight = self.first.weight
            self.head = nn.Linear(4, CLASSES)
            self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

        def forward(self, images: Tensor) -> Tensor:
            if self.training:
                self.calls += 1
            features = self.drop(torch.relu(self.norm(self.conv(images)))).mean((2, 3))
            return self.head(self.second(torch.tanh(self.first(features))))

    net = Net()
    for parameter in net.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    return net
