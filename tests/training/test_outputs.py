"""Logits and features of one forward pass: of images and feeds, in their order, marked where they are of test data."""

import pytest
import torch
from torch import nn

from gradlab.data.guard import marked_as_test
from gradlab.training import outputs, predict_logits
from gradlab.training.outputs import batches_for, image_logits
from gradlab.types import UserError
from tests.transfer.examples import bars, cnn, mlp

DATA = bars()


@pytest.mark.parametrize("make", [cnn, mlp])
def test_logits_are_those_of_a_prediction_and_features_what_the_head_reads(make):
    network = make()
    found = outputs(network, DATA.validation)
    torch.testing.assert_close(found.logits, predict_logits(network, DATA.validation), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(network.head(found.features), found.logits, rtol=1e-5, atol=1e-6)
    assert not found.logits.requires_grad


def test_what_comes_of_test_images_is_marked():
    found = outputs(mlp(), DATA.test)
    assert marked_as_test(found.logits) == marked_as_test(found.features) == "bars"
    assert marked_as_test(outputs(mlp(), DATA.train).logits) is None
    assert marked_as_test(outputs(mlp(), DATA.test.images).features) == "bars"


def test_logits_of_images_alone_need_no_linear_layer_and_keep_the_mark():
    network = mlp()
    found = image_logits(network, DATA.test.images)
    assert torch.equal(found, outputs(network, DATA.test).logits)
    assert marked_as_test(found) == "bars"
    flat = nn.Sequential(nn.Flatten(), nn.ReLU(inplace=True))
    images = DATA.test.images / 255
    torch.testing.assert_close(image_logits(flat, images), images.flatten(1))
    for network in (lambda one: (one, one), lambda one: one.mean()):
        with pytest.raises(UserError, match="returns no logits"):
            image_logits(Returning(network), images)


def test_images_are_copied_before_a_network_that_may_write_to_them():
    images = DATA.test.images / 255
    kept = images.clone()
    for batch in batches_for(mlp(), images):
        batch.zero_()
    assert torch.equal(images, kept)


class Returning(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.forward = change


class Backwards:
    """A feed that hands out its samples from the last to the first, two at a time, by name."""

    role, origin = "validation", DATA.validation.origin
    labels = DATA.validation.labels

    def __len__(self):
        return len(self.labels)

    def digest(self):
        return ""

    def order(self, seed, epoch, batch_size):
        raise NotImplementedError

    def batch(self, indices):
        return {"pictures": DATA.validation.images[indices] / 255}

    def parts(self):
        for rows in torch.arange(len(self)).flip(0).split(2):
            yield rows, self.batch(rows)

    def to(self, _device, _dtype):
        return self


class Named(nn.Module):
    """A network that reads its images by name and returns an object with logits, as text models do."""

    def __init__(self):
        super().__init__()
        self.inner = mlp()

    def forward(self, pictures):
        return type("Output", (), {"logits": self.inner(pictures)})()


def test_a_feed_is_read_in_whatever_order_and_returned_in_its_own():
    network = Named()
    found, plain = outputs(network, Backwards()), outputs(network.inner, DATA.validation)
    torch.testing.assert_close(found.logits, plain.logits, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.features, plain.features, rtol=1e-5, atol=1e-6)


def test_a_model_that_returns_no_rows_of_logits_still_has_features():
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 4), nn.Unflatten(1, (2, 2)))
    found = outputs(network, DATA.train)
    assert found.logits is None
    assert found.features.shape == (len(DATA.train), 36)


def test_batches_hold_every_image_once_in_order():
    whole = torch.cat(list(batches_for(mlp(), DATA.train, 7)))
    torch.testing.assert_close(whole, DATA.train.images / 255)
    with pytest.raises(UserError, match="pass the network"):
        next(batches_for("net", DATA.train))
