"""The whitening layer in training: from training images alone, frozen, in records as in `fit`, the same for the same seed."""

import pytest
import torch

from gradlab.data import Dataset, draw
from gradlab.models import CNN, FastCNN, whiten
from gradlab.training import Recipe, fit
from gradlab.training.first_layer import whitened
from gradlab.types import UserError

from .examples import CLASSES, SHAPE, assert_states_equal, blobs

DATA = blobs()
NET = FastCNN(widths=(6,))
RECIPE = Recipe(epochs=2, batch_size=32)


def net(seed=0):
    return NET.build(SHAPE, CLASSES, seed=seed)


def test_fit_whitens_from_training_images_and_training_leaves_the_filters_alone():
    given = net()
    trained = fit(given, DATA, RECIPE, progress=False).model
    expected = net()
    whiten(expected, DATA.train.images)
    assert torch.equal(trained.whiten.weight, expected.whiten.weight)
    assert not given.is_whitened
    assert not torch.equal(trained.whiten.bias, given.whiten.bias)
    assert torch.equal(trained.stages[0].norm1.weight, torch.ones(6))


def test_validation_images_and_labels_change_no_filter():
    other = Dataset(**{**vars(DATA), "validation": DATA.validation[:3]})
    shuffled = DATA.train.labels.roll(1)
    first, second = (whitened(net(), data.train, None, 0) for data in (DATA, other))
    assert torch.equal(first.whiten.weight, second.whiten.weight)
    third = whitened(
        net(), type(DATA.train)(DATA.train.images, shuffled, "train", DATA.train.origin), None, 0
    )
    assert torch.equal(first.whiten.weight, third.whiten.weight)


def test_with_few_images_it_looks_at_those_that_train():
    found, expected = whitened(net(), DATA.train, 30, 7), net()
    whiten(expected, DATA.train.images[draw(DATA.train.labels, 30, seed=7)])
    assert torch.equal(found.whiten.weight, expected.whiten.weight)
    assert not torch.equal(found.whiten.weight, whitened(net(), DATA.train, 30, 8).whiten.weight)


def test_what_was_whitened_or_is_another_network_is_left():
    ready = net()
    whiten(ready, DATA.train.images[:20])
    assert whitened(ready, DATA.train, None, 0) is ready
    other = CNN(widths=(4,)).build(SHAPE, CLASSES, seed=0)
    assert whitened(other, DATA.train, None, 0) is other


def test_the_same_seed_gives_the_same_bits():
    first, second = (fit(net(), DATA, RECIPE, seed=3, progress=False).model for _ in range(2))
    assert_states_equal(first.state_dict(), second.state_dict())


def grow(layer, _inputs):
    layer.weight.data.mul_(1.001)


def test_a_filter_that_changes_in_training_stops_the_run():
    model = net()
    whiten(model, DATA.train.images)
    model.whiten.register_forward_pre_hook(grow)
    with pytest.raises(UserError, match=r"'whiten\.weight' is frozen, but it changed during training"):
        fit(model, DATA, RECIPE, progress=False)
