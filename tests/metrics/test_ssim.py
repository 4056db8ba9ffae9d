"""Against the definition, written out window by window, and against scipy's Gaussian filter."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from gradlab.metrics import ssim
from gradlab.types import UserError


def pair(shape=(3, 2, 16, 13), noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.random(shape)
    return images, (images + noise * rng.normal(size=shape)).clip(0, 1)


def by_windows(a, b, side=11):
    """Equation 13 for one channel (H, W): at every window weighted means, variances, covariance."""
    place = np.arange(side) - side // 2
    weights = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    found = []
    for y in range(a.shape[0] - side + 1):
        for x in range(a.shape[1] - side + 1):
            one, two = a[y : y + side, x : x + side], b[y : y + side, x : x + side]
            m, n = (weights * one).sum(), (weights * two).sum()
            v, w = (weights * (one - m) ** 2).sum(), (weights * (two - n) ** 2).sum()
            c = (weights * (one - m) * (two - n)).sum()
            found.append((2 * m * n + 1e-4) * (2 * c + 9e-4) / ((m**2 + n**2 + 1e-4) * (v + w + 9e-4)))
    return np.mean(found)


def by_scipy(a, b):
    """The same by scipy's filter, whose window of σ 1.5 reaches 5 pixels at truncate 3.5; its borders are cut off."""

    def mean(values):
        return gaussian_filter(values, 1.5, truncate=3.5)[5:-5, 5:-5]

    m, n = mean(a), mean(b)
    v, w, c = mean(a * a) - m * m, mean(b * b) - n * n, mean(a * b) - m * n
    return np.mean((2 * m * n + 1e-4) * (2 * c + 9e-4) / ((m**2 + n**2 + 1e-4) * (v + w + 9e-4)))


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_it_is_the_definition_and_what_scipy_says(noise):
    images, others = pair(noise=noise)
    found = ssim(images, others)
    for row in range(3):
        channels = list(zip(images[row], others[row], strict=True))
        assert found[row] == pytest.approx(np.mean([by_windows(a, b) for a, b in channels]), rel=1e-10)
        assert found[row] == pytest.approx(np.mean([by_scipy(a, b) for a, b in channels]), rel=1e-10)


def test_images_smaller_than_the_window_take_the_largest_odd_one():
    images, others = pair((1, 1, 8, 9))
    assert ssim(images, others)[0] == pytest.approx(by_windows(images[0, 0], others[0, 0], 7), rel=1e-10)


def test_equal_images_have_1_and_inverted_ones_less_than_0():
    images, _ = pair()
    assert ssim(images, images) == pytest.approx([1, 1, 1])
    assert (ssim(images, 1 - images) < 0).all()
    flat = np.full((1, 1, 12, 12), 0.2)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)  # no variance: the first factor alone
    assert ssim(flat, flat + 0.4)[0] == pytest.approx(luminance)


def test_it_falls_with_the_noise_and_rows_are_alone():
    images, others = pair((70, 1, 12, 12), noise=0.2)
    nearer = images + 0.1 * (others - images)
    assert (ssim(images, nearer) > ssim(images, others)).all()
    assert ssim(images[69:], others[69:])[0] == pytest.approx(ssim(images, others)[69], rel=1e-12)


def test_tensors_are_taken_and_no_images_give_no_values():
    images, others = (torch.tensor(one) for one in pair())
    assert ssim(images, others) == pytest.approx(ssim(images.numpy(), others.numpy()))
    assert ssim(images[:0], others[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (np.zeros((1, 1, 4, 4)), np.zeros((2, 1, 4, 4)), "one shape, got"),
        (np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), r"\(N, C, H, W\), got shape \(1, 4, 4\)"),
        (np.full((1, 1, 4, 4), 200), np.zeros((1, 1, 4, 4)), "images / 255"),
        (np.full((1, 1, 4, 4), 1.5), np.zeros((1, 1, 4, 4)), "got 1.5 to 1.5"),
        (np.full((1, 1, 4, 4), np.nan), np.zeros((1, 1, 4, 4)), "got nan"),
    ],
)
def test_what_are_no_images_is_refused(first, second, text):
    with pytest.raises(UserError, match=text):
        ssim(first, second)
