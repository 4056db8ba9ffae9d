"""What one epoch reports: means over all images, on the batches as they came."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.training import Recipe, fit
from gradlab.training.feed import ImageFeed
from gradlab.training.loop import work_left

from .examples import CLASSES, SHAPE, blobs

DATA = blobs()


def net():
    return MLP(width=6, depth=4, residual=True).build(SHAPE, CLASSES, seed=0)


def test_the_history_says_what_an_epoch_was():
    recipe = Recipe(epochs=2, batch_size=len(DATA.train), learning_rate=1e-30)  # nothing moves
    model = net()
    trained = fit(model, DATA, recipe, seed=0, progress=False)
    for row in trained.history:
        for part in ("train", "validation"):
            split = getattr(DATA, part)
            logits = model(split.images / 255)
            loss = nn.functional.cross_entropy(logits, split.labels).item()
            assert row[f"{part}_loss"] == pytest.approx(loss, rel=1e-5)
            accuracy = (logits.argmax(1) == split.labels).double().mean().item()
            assert row[f"{part}_accuracy"] == pytest.approx(accuracy)
        assert row["learning_rate"] == 1e-30
    assert [row["epoch"] for row in trained.history] == [1, 2]


def test_the_training_loss_of_an_epoch_weighs_a_smaller_last_batch_by_its_images():
    recipe = Recipe(epochs=1, batch_size=len(DATA.train) - 3, learning_rate=1e-30)
    trained = fit(net(), DATA, recipe, progress=False)
    whole = fit(net(), DATA, replace(recipe, batch_size=len(DATA.train)), progress=False)
    for name in ("train_loss", "train_accuracy"):
        assert trained.history[0][name] == pytest.approx(whole.history[0][name], rel=1e-6)


def test_the_work_that_is_left_counts_pixels():
    feed, recipe = ImageFeed(blobs().train, torch.float32), Recipe(epochs=5, sizes=(2, 2, 3))
    assert work_left(recipe, 1, feed) == (4 + 9 + 16 + 16) / 4
    assert work_left(recipe, 3, feed) == 32 / 9
    assert work_left(recipe, 4, feed) == work_left(Recipe(epochs=5), 4, feed) == 1.0
    assert work_left(recipe, 5, feed) == 0.0
