"""Small models and images on which attacks can be judged."""

import torch
from torch import nn

EPS = 8 / 255


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=12, shape=(2, 4, 5), seed=0, dtype=torch.float64):
    return torch.rand(count, *shape, generator=generator(seed), dtype=dtype)


def linear(shape=(2, 4, 5), classes=2, seed=1, dtype=torch.float64):
    """Logits = W x + b."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(shape).numel(), classes))
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(generator=generator(seed))
    return model.to(dtype)


def small(classes=4, seed=2, dtype=torch.float64):
    """A convolution, a norm with statistics of its own, dropout, and a head; in train mode, as it is handed over."""
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Tanh(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(120, classes)
    )  # fmt: skip
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(0, 0.5, generator=generator(seed))
        model[1].running_mean.uniform_(-0.3, 0.3, generator=generator(seed))
    model[0].eval()  # one layer in another mode than the rest
    return model.to(dtype)


def labels_of(model, batch):
    """The model's own predictions in eval mode, so that every image is classified correctly."""
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    with torch.no_grad():
        labels = model(batch).argmax(1)
    for layer, training in modes:
        layer.training = training
    return labels


def margin(model, batch, labels):
    """Logit of the label minus that of the other class, for two classes."""
    logits = model(batch).detach()
    return logits.gather(1, labels[:, None])[:, 0] - logits.gather(1, 1 - labels[:, None])[:, 0]
