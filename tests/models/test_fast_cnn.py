"""The fast CNN: whitening against numpy, counts, initial values, saved and loaded, what it refuses."""

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.data import from_tensors
from gradlab.models import FastCNN, build, load, save, summary, whiten
from gradlab.models.steps import steps_of
from gradlab.types import UserError

SHAPE = (3, 12, 14)
SMALL = FastCNN(widths=(26, 28))
MIRROR = FastCNN(widths=(26, 28), fixed_stem=True, mirror=True, tiled=True)
SIX = FastCNN(widths=(26, 28), mirror=True, shifted=True)


def images(count=40, seed=0):
    """Smooth pictures, whose neighbouring pixels are alike."""
    stream = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 5, generator=stream)
    return (nn.functional.interpolate(coarse, SHAPE[1:], mode="bilinear") * 255).to(torch.uint8)


def made(config=SMALL, classes=5, seed=0):
    return config.build(SHAPE, classes, seed=seed, mean=(0.5, 0.4, 0.3), std=(0.25, 0.2, 0.3))


def test_whitened_patches_are_uncorrelated_with_variance_one():
    network, pictures = made(), images()
    whiten(network, pictures)
    with torch.no_grad():
        outputs = network.whiten(network.normalise(pictures.float() / 255)).double()
    half = outputs.shape[1] // 2
    assert torch.equal(outputs[:, half:], -outputs[:, :half])
    flat = outputs[:, :half].movedim(1, 0).flatten(1).numpy()
    found = flat @ flat.T / flat.shape[1]
    strong = np.diag(found) > 0.98  # the little that is added holds the weakest back
    assert strong.sum() >= 3
    assert np.abs(found - np.diag(np.diag(found))).max() < 1e-3
    assert np.diag(found).max() <= 1 + 1e-4


def test_filters_are_those_of_a_plain_loop_in_numpy():
    network, pictures = made(), images(6)
    whiten(network, pictures)
    normalised = (pictures.numpy() / 255 - np.reshape([0.5, 0.4, 0.3], (3, 1, 1))) / np.reshape(
        [0.25, 0.2, 0.3], (3, 1, 1)
    )
    patches = [
        one[:, y : y + 2, x : x + 2].ravel() for one in normalised for y in range(11) for x in range(13)
    ]  # fmt: skip
    values, vectors = np.linalg.eigh(
        np.cov(np.array(patches).T, bias=True) + np.outer(*[np.mean(patches, 0)] * 2)
    )
    for k in range(12):
        filter_k = network.whiten.weight[k].detach().numpy().ravel()
        expected = vectors[:, k] / np.sqrt(values[k] + 5e-4)
        assert (
            min(np.abs(filter_k - sign * expected).max() for sign in (1, -1)) < 1e-3 * np.abs(expected).max()
        )
        assert filter_k[np.abs(filter_k).argmax()] > 0


def test_counts_are_those_of_the_module_and_of_pytorch_s_counter():
    for config in (SMALL, FastCNN(widths=(25,), patch=3, activation="gelu"), MIRROR, SIX):
        network = made(config)
        assert config.parameter_count(SHAPE, 5) == sum(one.numel() for one in network.parameters())
        assert config.flop_count(SHAPE, 5) == summary(network, SHAPE).flops


def test_sizes_are_those_that_run():
    network, seen = made(), []
    for stage in network.stages:
        stage.register_forward_hook(lambda _layer, _inputs, out: seen.append(tuple(out.shape[2:])))
    network.eval()(torch.rand(2, *SHAPE))
    assert SMALL.sizes(SHAPE)[1:] == seen == [(5, 6), (2, 3)]
    assert (
        SMALL.describe(SHAPE, 5)
        == "whitening of 2×2 pixels to 24, 2 × 26 to 5×6, 2 × 28 to 2×3, largest, head 28→5"
    )


def test_convolutions_start_as_the_identity_of_their_first_channels():
    network = made()
    features = torch.rand(2, 26, 5, 6)
    with torch.no_grad():
        assert torch.equal(network.stages[0].convolution2(features), features)
        assert torch.equal(network.stages[1].convolution1(features)[:, :26], features)
    assert (
        made(seed=1).stages[1].convolution1.weight[26:].ne(network.stages[1].convolution1.weight[26:]).all()
    )
    deeper = made(FastCNN(widths=(26, 28, 30)))
    assert torch.equal(deeper.stages[1].convolution1.weight, network.stages[1].convolution1.weight)


@pytest.mark.parametrize("config", [SMALL, MIRROR, SIX, FastCNN(widths=(26,), shifted=True)])
def test_saved_and_loaded_it_gives_the_same_bits_and_so_do_its_steps(config, tmp_path):
    network = made(config).eval()
    whiten(network, images())
    nn.init.normal_(network.head.weight, generator=torch.Generator().manual_seed(0))
    batch = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(batch)
        assert torch.equal(load(save(network, tmp_path / "m"))(batch), expected)
        named = dict(network.state_dict()) | {"images": batch}
        for name, operation, arguments in steps_of(network):
            given = [named[one] if isinstance(one, str) else one for one in arguments]
            named[name] = getattr(torch.ops.aten, operation)(*given)
    assert torch.equal(named["logits"], expected)


def test_the_mirror_image_counts_as_much_in_eval_mode_and_not_in_training():
    plain, both = made(), made(MIRROR)
    batch = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1))
    whiten(plain, images())
    nn.init.normal_(plain.head.weight, generator=torch.Generator().manual_seed(0))
    both.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert torch.equal(plain.train()(batch), both.train()(batch))
        seen = [plain.eval()(one) for one in (batch, torch.from_numpy(batch.numpy()[..., ::-1].copy()))]
        torch.testing.assert_close(both.eval()(batch), torch.stack(seen).mean(0))
    assert not torch.allclose(seen[0], seen[1])
    assert MIRROR.describe(SHAPE, 5) == f"{SMALL.describe(SHAPE, 5)}, mean with the mirror image"


def test_six_views_are_three_places_and_their_mirror_images():
    plain, six = made(), made(SIX)
    batch = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1))
    whiten(plain, images())
    nn.init.normal_(plain.head.weight, generator=torch.Generator().manual_seed(0))
    six.load_state_dict(plain.state_dict())
    wide = np.pad(batch.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    places = [wide[:, :, k : k + 12, k : k + 14] for k in (0, 1, 2)]
    with torch.no_grad():
        assert torch.equal(plain.train()(batch), six.train()(batch))
        plain.eval()
        seen = [
            plain(torch.from_numpy(np.ascontiguousarray(view)))
            for one in places
            for view in (one, one[..., ::-1])
        ]
        torch.testing.assert_close(six.eval()(batch), torch.stack(seen).mean(0))
    assert not torch.allclose(seen[0], seen[2])
    assert (
        SIX.describe(SHAPE, 5) == f"{SMALL.describe(SHAPE, 5)}, mean over shifts by a pixel and mirror images"
    )


def test_a_fixed_stem_keeps_its_bias_at_zero():
    names = [
        {name for name, one in made(config).named_parameters() if one.requires_grad}
        for config in (SMALL, MIRROR)
    ]
    assert names[0] - names[1] == {"whiten.bias"}
    assert not made(MIRROR).whiten.bias.any()


def test_smaller_images_are_taken_in_train_mode_alone():
    network = made()
    assert network.train()(torch.rand(2, 3, 8, 8)).shape == (2, 5)
    with pytest.raises(UserError, match=r"\(N, 3, 12, 14\), got \(2, 3, 8, 8\); resize the images"):
        network.eval()(torch.rand(2, 3, 8, 8))
    with pytest.raises(UserError, match="resize the images"):
        network.train()(torch.rand(2, 3, 16, 12))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FastCNN(widths=()), "at least one stage"),
        (lambda: FastCNN(patch=9), "patch"),
        (lambda: FastCNN().build((3, 8, 8), 10, seed=0), "images of at least 9×9 pixels, got 8×8"),
        (
            lambda: FastCNN().parameter_count(784, 10),
            r"input shape \(C, H, W\), such as \(3, 32, 32\), got 784",
        ),
        (lambda: made(classes=0), "at least one class, got 0"),
        (lambda: FastCNN().build((3, 32, 32), 10, seed=0, mean=(0, 0), std=(1, 1)), "got 2 for 3 channels"),
        (lambda: whiten(made(), torch.zeros(2, *SHAPE)), "uint8 images of shape .* got torch.float32"),
        (
            lambda: whiten(made(), torch.zeros(2, 3, 4, 4, dtype=torch.uint8)),
            "pass the images of the training split",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_the_named_net_has_the_channels_that_it_says():
    network = build("fast-cnn")
    assert [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)] == [
        24,
        64,
        64,
        128,
        128,
        256,
        256,
    ]
    assert not network.is_whitened
    assert from_tensors(images(), torch.arange(40) % 5).train.images.dtype == torch.uint8
