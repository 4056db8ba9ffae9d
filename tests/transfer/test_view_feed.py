"""A feed that shows every image once an epoch, in one of its views."""

import torch

from gradlab.training import Feed
from gradlab.transfer import ViewFeed
from tests.transfer.examples import bars

TRAIN = bars().train
COUNT = len(TRAIN)


def feed(*views):
    return ViewFeed(TRAIN, views or ("identity", "mirror"))


def test_a_sample_is_a_view_of_an_image():
    own, rows = feed(), torch.tensor([[3, COUNT + 3], [COUNT, 0]])
    images = own.batch(rows)
    assert images.shape == (2, 2, 1, 6, 6)
    assert torch.equal(images[0, 0], TRAIN.images[3] / 255)
    assert torch.equal(images[0, 1], torch.from_numpy((TRAIN.images[3] / 255).numpy()[:, :, ::-1].copy()))
    assert torch.equal(images[1, 0].flip(-1), images[1, 1])
    assert own.labels[rows].tolist() == [[int(TRAIN.labels[3])] * 2, [int(TRAIN.labels[0])] * 2]


def test_an_epoch_shows_every_image_once_in_views_that_change():
    own = feed()
    first, second = (own.order(0, epoch, 16) for epoch in (1, 2))
    assert len(own) == len(first) == COUNT
    for visits in (first, second):
        assert sorted((visits % COUNT).tolist()) == list(range(COUNT))
    mirrored = [{int(one % COUNT) for one in visits if one >= COUNT} for visits in (first, second)]
    assert mirrored[0] != mirrored[1]
    assert all(COUNT * 0.3 < len(one) < COUNT * 0.7 for one in mirrored)
    assert torch.equal(own.order(0, 1, 16), first)
    assert not torch.equal(own.order(1, 1, 16), first)
    assert torch.equal(feed("identity").order(0, 1, 16), first % COUNT)


def test_it_is_a_feed_of_all_views_with_an_identity_of_its_own():
    own = feed()
    assert isinstance(own, Feed)
    found = [(indices, images) for indices, images in own.parts()]
    assert torch.equal(torch.cat([one for one, _ in found]), torch.arange(2 * COUNT))
    assert torch.equal(torch.cat([one for _, one in found])[COUNT:], (TRAIN.images / 255).flip(-1))
    digests = {
        feed().digest(),
        feed("identity").digest(),
        ViewFeed(TRAIN[:9], ("identity",)).digest(),
        ViewFeed(TRAIN[1:10], ("identity",)).digest(),
    }
    assert len(digests) == 4
    assert own.to(torch.device("cpu"), torch.float64).batch(torch.arange(2)).dtype == torch.float64
    assert own.role == "train"
