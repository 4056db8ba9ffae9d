"""A first layer that is computed from training images before the first step."""

from __future__ import annotations

import copy

import torch
from torch import nn

from gradlab.data import Split, draw
from gradlab.models.fast_cnn_network import FastCNNNetwork, whiten
from gradlab.training.feed import Feed

MOST_IMAGES = 5000
"""Images that are looked at; several million patches."""


def whitened(model: nn.Module, train: Split | Feed, train_images: int | None, seed: int) -> nn.Module:
    """Return a copy whose first layer is whitened from the images that it will train on.

    Where there is nothing to do, it is the model itself.

    Args:
        train: the training part. train_images: how many of them are drawn for this seed; None for all.
        seed: of the run.
    """
    if not isinstance(model, FastCNNNetwork) or model.is_whitened or not isinstance(train, Split):
        return model
    count = len(train)
    rows = torch.arange(count) if train_images is None else draw(train.labels, train_images, seed=seed)
    ready = copy.deepcopy(model)
    whiten(ready, train.images[rows[:MOST_IMAGES].to(train.images.device)])
    return ready
