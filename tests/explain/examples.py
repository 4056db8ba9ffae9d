"""Small networks and images of which maps can be computed by hand."""

import torch
from torch import nn


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6, shape=(3, 12, 10), seed=0, dtype=torch.float64):
    return torch.rand(count, *shape, generator=generator(seed), dtype=dtype)


def drawn(model, seed=2, dtype=torch.float64):
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(0, 0.4, generator=generator(seed))
    return model.to(dtype)


def averaging(classes=4, seed=2, dtype=torch.float64):
    """Convolutions, a norm with statistics, the mean over places, dropout and a linear head; in train mode."""
    model = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 7, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(7, classes),
    )  # fmt: skip
    drawn(model, seed, dtype)
    with torch.no_grad():
        model[1].running_mean.uniform_(-0.2, 0.2, generator=generator(seed))
    model[0].eval()
    return model


def flattening(classes=4, seed=3, dtype=torch.float64):
    """Convolution, tanh, and a linear head that reads every place by itself."""
    return drawn(
        nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 5 * 4, classes)), seed, dtype
    )  # fmt: skip


def features(model, batch, layers):
    """Output of the first layers in eval mode, and the rest of the network."""
    model.eval()
    return model[:layers](batch), model[layers:]


def snapshot(model):
    return {
        "modes": [layer.training for layer in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()],
        "state": {name: value.tolist() for name, value in model.state_dict().items()},
        "gradients": [(p.requires_grad, None if p.grad is None else p.grad.tolist()) for p in model.parameters()],
    }  # fmt: skip
