"""Adversarial training as anyone would write it in a notebook, which shares no code with the objectives."""

from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional

from gradlab.data import order
from gradlab.models import CNN, MLP
from gradlab.training import Recipe, fit
from gradlab.types import derive_seed
from tests.training.examples import CLASSES, SHAPE, blobs

DATA = blobs()
RECIPE = Recipe(optimizer="sgd", epochs=2, batch_size=50, learning_rate=0.05, keep="last", precision="fp64")
QUIET = {"progress": False, "device": "cpu"}
EPS = 0.1


def mlp(seed=0, **fields):
    return MLP(width=6, depth=2, norm="batch", **fields).build(
        SHAPE, CLASSES, seed=seed, mean=(0.3,), std=(0.25,)
    )


def cnn(seed=0):
    return CNN(widths=(4, 5)).build(SHAPE, CLASSES, seed=seed, mean=(0.3,), std=(0.25,))


def sign_steps(model, images, labels, start, *, eps, step, steps, loss=None):
    """The last iterate, from the paper: x ← Π(x + step · sign ∇ loss)."""
    loss = loss or (lambda logits: functional.cross_entropy(logits, labels))
    model.eval()
    points = torch.max(torch.min(start, images + eps), images - eps).clamp(0, 1)
    for _ in range(steps):
        points = points.detach().requires_grad_()
        loss(model(points)).backward()
        points = points.detach() + step * points.grad.sign()
        points = torch.max(torch.min(points, images + eps), images - eps).clamp(0, 1)
    model.train()
    return points.detach()


def uniform(images, eps, stream):
    return images + eps * (2 * torch.rand(images.shape, generator=stream).double() - 1)


def notebook(model, loss_of, *, seed=0, recipe=RECIPE):
    """Train with plain SGD in float64; `loss_of` has model, images, labels and the stream of the step.

    Returns the state in the end.
    """
    model = deepcopy(model).double().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        for rows in order(len(DATA.train), seed=seed, epoch=epoch).split(recipe.batch_size):
            stream = torch.Generator().manual_seed(derive_seed(seed, "attack", step))
            loss = loss_of(model, DATA.train.images[rows].double() / 255, DATA.train.labels[rows], stream)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    return model.state_dict()


class frozen_statistics:  # noqa: N801 - used as a with-block
    """Within the block batch norms move nothing: their momentum is 0, and the batches are not counted."""

    def __init__(self, model):
        self.norms = [
            layer for layer in model.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)
        ]

    def __enter__(self):
        self.kept = [(norm.momentum, int(norm.num_batches_tracked)) for norm in self.norms]
        for norm in self.norms:
            norm.momentum = 0.0

    def __exit__(self, *_):
        for norm, (momentum, count) in zip(self.norms, self.kept, strict=True):
            norm.momentum, norm.num_batches_tracked.data = momentum, torch.tensor(count)


def trained(model, objective, **changes):
    """The state of a network that `fit` trained, in float64."""
    return fit(model, DATA, replace(RECIPE, **changes), objective=objective, **QUIET).model.state_dict()


def distance(mine, theirs):
    """The largest difference of any number of two states."""
    assert list(mine) == list(theirs)
    return max(float((mine[name].double() - theirs[name].double()).abs().max()) for name in mine)
