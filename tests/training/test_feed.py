"""Features prepared once are the bits that gathering and preparing at every step would give."""

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.augmentation import Flip
from gradlab.data import gather
from gradlab.models import CNN, MLP
from gradlab.training import Recipe, fit
from gradlab.training import feed as feeds
from gradlab.training.feed import Feed, ImageFeed, ranges

from .examples import CLASSES, SHAPE, blobs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("limit", [0, 2**20])
def test_a_batch_is_gathered_and_prepared_whatever_fits_in_memory(dtype, limit, monkeypatch):
    monkeypatch.setattr(feeds, "TABLE_BYTES", limit)
    train = blobs().train
    prepare = MLP().build(SHAPE, CLASSES, seed=0, mean=(0.3,), std=(0.2,)).to(dtype).prepare
    feed = ImageFeed(train, dtype, prepare)
    for shape in [(2, 7), (2, 3), (2, 7)]:  # the last, smaller batch shares the room of the others
        indices = torch.randint(0, len(train), shape)
        assert torch.equal(feed.batch(indices), prepare(gather(train, indices, dtype)))
    everything = torch.cat([features for _, features in feed.parts()])
    assert torch.equal(everything, prepare(gather(train, torch.arange(len(train)), dtype)))
    assert torch.equal(torch.cat([indices for indices, _ in feed.parts()]), torch.arange(len(train)))
    assert isinstance(feed, Feed)


def test_evaluation_batches_cover_everything_once_and_shrink_with_the_images():
    for images, pixels in [(2500, 784), (100, 3 * 160 * 160), (5, 10**9), (1000, 1)]:
        parts = list(ranges(images, pixels))
        assert [start for start, _ in parts] == [0, *[stop for _, stop in parts[:-1]]]
        assert parts[-1][1] == images
        assert all((stop - start) * pixels <= 2**22 or stop - start == 1 for start, stop in parts)
    assert list(ranges(5, 784, 2)) == [(0, 2), (2, 4), (4, 5)]


def test_smaller_images_are_pillow_s_and_reach_the_network_in_their_epochs_alone():
    split = blobs(30).train
    feed = ImageFeed(split, torch.float32)
    rows = torch.tensor([[3, 0, 7]])
    small = feed.images(rows, 3)
    for place, row in enumerate(rows[0].tolist()):
        picture = Image.fromarray(split.images[row, 0].numpy()).resize((3, 3), Image.Resampling.BILINEAR)
        assert torch.equal(small[0, place, 0], torch.from_numpy(np.array(picture)).float() / 255)
    assert torch.equal(feed.images(rows), feed.images(rows, None))
    assert feed.images(rows).shape[-1] == 4


@pytest.mark.parametrize("augmentation", [(), (Flip(),)])
def test_an_epoch_sees_its_size(augmentation):
    seen = []
    network = CNN(widths=(4,)).build(SHAPE, CLASSES, seed=0)
    network.normalise.register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0].shape[-1]) if layer.training else None
    )
    recipe = Recipe(epochs=4, batch_size=200, sizes=(2, 2, 3), augmentation=augmentation)
    fit(network, blobs(), recipe, progress=False)
    assert seen[-4:] == [2, 2, 3, 4]
