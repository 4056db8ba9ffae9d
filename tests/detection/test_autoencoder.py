"""Auto-encoders: shapes and ranges, the loss by hand, training, and a classifier under one that does not move."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.data import from_tensors
from gradlab.detection import AutoEncoder, Reconstruction, psnr, reconstruction_error, train_autoencoder
from gradlab.detection.train_autoencoder import ReconstructionLoss, digests
from gradlab.models import CNN
from gradlab.training import Batch, Recipe
from gradlab.types import UserError
from tests.detection.examples import images, net

KINDS = {
    "plain": AutoEncoder(code=6, widths=(4, 5)),
    "denoising": AutoEncoder(code=6, widths=(4,), noise=0.2),
    "variational": AutoEncoder(code=6, widths=(4,), beta=0.01),
}


def data(count=96, channels=1, size=6):
    """Smooth images: one bright bar each, whose place is the class."""
    labels = torch.arange(count) % 3
    pixels = torch.full((count, channels, size, size), 30, dtype=torch.uint8)
    for row, label in enumerate(labels.tolist()):
        pixels[row, :, 2 * label : 2 * label + 2] = 160 + row % 64
    return from_tensors(pixels, labels, name="bars")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 7, 9), (2, 1, 1)])
def test_images_come_out_as_they_went_in(kind, shape):
    network = KINDS[kind].build(shape, seed=0).eval()
    made = network.reconstruct(torch.rand(5, *shape)).detach()
    assert made.shape == (5, *shape)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    codes, log_variance = network.encode(torch.rand(5, *shape))
    assert codes.shape == (5, 6)
    assert (log_variance is None) == (kind != "variational")


def test_the_seed_alone_decides_the_initial_weights():
    first, again, other = (KINDS["plain"].build((1, 6, 6), seed=seed) for seed in (0, 0, 1))
    assert digests(first) == digests(again) != digests(other)


def test_noise_and_drawn_codes_are_there_in_training_alone():
    pictures = images(4)
    for kind in ("denoising", "variational"):
        network = KINDS[kind].build((1, 6, 6), seed=0)
        assert not torch.equal(network.train()(pictures), network(pictures))
        assert torch.equal(network.eval()(pictures), network(pictures))
    assert torch.equal(network(pictures)[:, :36].view_as(pictures), network.reconstruct(pictures))


def test_the_divergence_is_that_of_two_normal_distributions():
    network = KINDS["variational"].build((1, 6, 6), seed=0).eval()
    mean, log_variance = network.encode(images(4))
    own = torch.distributions.Normal(mean, (log_variance / 2).exp())
    unit = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(own, unit).sum(1)
    torch.testing.assert_close(network(images(4))[:, -1], expected, rtol=1e-5, atol=1e-6)


def test_the_loss_is_the_squared_error_and_the_weighted_divergence():
    pictures = images(4)[None]
    outputs = torch.cat([torch.full((1, 4, 36), 0.5), torch.full((1, 4, 1), 7.0)], dim=2)
    batch = Batch(pictures, torch.zeros(1, 4, dtype=torch.int64), (0,), 0)
    by_hand = ((pictures - 0.5) ** 2).mean((2, 3, 4))
    loss, _ = ReconstructionLoss(0.1)(lambda _: outputs, batch)
    torch.testing.assert_close(loss, (by_hand + 0.1 * 7 / 36).mean(1))
    found = ReconstructionLoss(0.1).validate(lambda _: outputs, batch)
    torch.testing.assert_close(found["squared_error"], by_hand)
    torch.testing.assert_close(ReconstructionLoss()(lambda _: outputs[..., :36], batch)[0], by_hand.mean(1))


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_error_on_held_out_images_below_that_of_the_mean_image(kind):
    bars = data()
    recipe = Recipe(epochs=40, batch_size=16, learning_rate=1e-2)
    fit = train_autoencoder(KINDS[kind], bars, recipe, seed=0, device="cpu", progress=False)
    held_out = reconstruction_error(fit.model, bars.test)
    mean = bars.train.images.double().mean(0) / 255
    of_mean = ((bars.test.images.double() / 255 - mean) ** 2).flatten(1).mean(1)
    assert held_out.mean() < 0.3 * float(of_mean.mean())
    again = train_autoencoder(
        KINDS[kind], bars, dataclasses.replace(recipe, epochs=2), device="cpu", progress=False
    )
    twice = train_autoencoder(
        KINDS[kind], bars, dataclasses.replace(recipe, epochs=2), device="cpu", progress=False
    )
    assert digests(again.model) == digests(twice.model)


@pytest.mark.parametrize("classifier", [net(), CNN(widths=(4, 6)).build((1, 6, 6), 3, seed=0)])
def test_the_classifier_under_an_autoencoder_is_bit_equal_after_training(classifier):
    """Batch norms in it, dropout too; its own copy and the one inside both stay."""
    bars, classifier = data(), classifier.train()
    before = digests(classifier)
    fit = train_autoencoder(
        KINDS["plain"], bars, Recipe(epochs=2, batch_size=16), trunk=classifier, device="cpu", progress=False
    )
    assert digests(classifier) == before
    assert classifier.training
    inside = digests(fit.model.encoder.network)
    assert {name: before[name] for name in inside} == inside
    assert len(inside) == len(before) - 2  # all but the head's weight and bias
    started = KINDS["plain"].build((1, 6, 6), seed=0, trunk=classifier)
    trained = digests(fit.model)
    moved = {name for name, one in digests(started).items() if one != trained[name]}
    assert moved == {name for name in trained if not name.startswith("encoder.")}
    codes = fit.model.encoder(images(3))
    torch.testing.assert_close(classifier.eval().head(codes), classifier(images(3)))


def test_the_error_is_the_mean_squared_difference_whatever_the_batch():
    pictures = images()
    halved = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (1, 6, 6)), nn.Conv2d(1, 1, 1, bias=False))
    nn.init.constant_(halved[2].weight, 0.5)
    expected = (pictures.double() / 2).square().mean((1, 2, 3)).numpy()
    np.testing.assert_allclose(reconstruction_error(halved, pictures), expected, rtol=1e-6)
    np.testing.assert_allclose(reconstruction_error(halved, pictures, batch_size=7), expected, rtol=1e-6)
    np.testing.assert_allclose(Reconstruction().fit(halved).score(pictures), expected, rtol=1e-6)
    assert psnr([1.0, 0.01, 1e-4]).tolist() == [0, 20, 40]


class Grey(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, pictures):
        return pictures[:, :1] * self.scale


@pytest.mark.parametrize(
    ("autoencoder", "sentence"),
    [
        (Grey(1.0), "give its decoder as many channels"),  # one channel for three, which would broadcast
        (nn.Conv2d(3, 3, 1, bias=True), "end the decoder with a sigmoid"),
    ],
)
def test_other_channels_and_another_range_are_refused(autoencoder, sentence):
    if isinstance(autoencoder, nn.Conv2d):
        nn.init.constant_(autoencoder.bias, -3.0)
    with pytest.raises(UserError, match=sentence):
        reconstruction_error(autoencoder, torch.rand(2, 3, 6, 6))


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(UserError, match="reads a gradlab Dataset, got Split"):
        train_autoencoder(KINDS["plain"], data().train)
    with pytest.raises(UserError, match="the trunk cannot read images"):
        train_autoencoder(KINDS["plain"], data(size=8), trunk=net())
