"""Features prepared once are the bits that gathering and preparing at every step would give."""

import pytest
import torch

from gradlab.data import gather
from gradlab.models import MLP
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
