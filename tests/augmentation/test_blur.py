"""Blur against scipy's Gaussian filter."""

import torch
from scipy import ndimage, stats

from gradlab.augmentation import Blur
from tests.augmentation.examples import by_array, generator, images


def test_blur_is_scipy_s_gaussian_filter_cut_at_three_times_the_largest():
    batch = images()
    blur = Blur(smallest=0.3, largest=1.4)  # ceil(4.2) = 5 pixels to each side
    sigmas = blur.draw(len(batch), (3, 10, 12), generator())

    def change(plane, i):
        return ndimage.gaussian_filter(plane, float(sigmas[i]), mode="nearest", radius=5)

    torch.testing.assert_close(blur.apply(batch, sigmas), by_array(batch, change), atol=1e-6, rtol=0)


def test_a_kernel_wider_than_the_image_passes():
    batch = images(3, 1, 4, 5)
    blur = Blur(smallest=3, largest=3)
    expected = by_array(batch, lambda plane, _: ndimage.gaussian_filter(plane, 3, mode="nearest", radius=9))
    torch.testing.assert_close(blur(batch, generator=generator()), expected, atol=1e-6, rtol=0)


def test_borders_do_not_darken():
    flat = torch.full((8, 1, 9, 9), 0.7)
    torch.testing.assert_close(Blur()(flat, generator=generator()), flat, atol=1e-6, rtol=0)


def test_widths_are_uniform_within_their_range():
    sigmas = Blur(smallest=0.5, largest=2).draw(4000, (1, 8, 8), generator())
    assert stats.kstest(sigmas.numpy(), stats.uniform(0.5, 1.5).cdf).pvalue > 0.01
