"""Elastic distortion against scipy's Gaussian filter and interpolation."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from gradlab.augmentation import Elastic
from gradlab.augmentation._draws import uniform_bytes
from gradlab.augmentation.elastic import smooth
from tests.augmentation.examples import by_array, generator, images


@pytest.mark.parametrize("sigma", [0.8, 2.0, 6.0])
def test_the_field_is_scipy_s_gaussian_filter(sigma):
    noise = 2 * torch.rand(3, 2, 13, 17, generator=generator()) - 1
    expected = by_array(noise, lambda plane, _: ndimage.gaussian_filter(plane, sigma, mode="constant"))
    torch.testing.assert_close(smooth(noise, sigma), expected, atol=1e-6, rtol=0)


def test_the_warp_is_scipy_s_map_coordinates():
    batch = images(4, 2, 13, 17)
    elastic = Elastic(alpha=60, sigma=3)
    field = elastic.draw(4, (2, 13, 17), generator())
    rows, columns = np.mgrid[:13, :17]

    def change(plane, i):
        places = [rows + field[i, 1].numpy(), columns + field[i, 0].numpy()]
        return ndimage.map_coordinates(plane, places, order=1, mode="grid-constant")

    torch.testing.assert_close(elastic.apply(batch, field), by_array(batch, change), atol=2e-5, rtol=0)


def test_the_strength_of_the_field_is_the_stated_one():
    field = Elastic(alpha=34, sigma=4).draw(64, (1, 64, 64), generator())
    closed = 34 / math.sqrt(3) / (2 * math.sqrt(math.pi) * 4)  # of uniform noise under a Gaussian
    inner = field[:, :, 20:44, 20:44]
    assert abs(float(inner.std()) / closed - 1) < 0.05
    assert abs(closed / (0.163 * 34 / 4) - 1) < 0.01  # as the docstring says
    assert abs(float(field[:, :, 0, 0].std()) / closed - 0.5) < 0.15  # a quarter of the noise lies inside


def test_neighbours_move_alike():
    field = Elastic(sigma=4).draw(32, (1, 28, 28), generator())
    assert float((field[..., 1:] - field[..., :-1]).abs().max()) < 0.4 * float(field.abs().max())


def test_noise_of_bytes_is_uniform_and_without_pattern():
    numbers = uniform_bytes((100_003,), generator())
    assert float(numbers.min()) == -127.5 / 128
    assert float(numbers.max()) == 127.5 / 128
    counts = torch.bincount(((numbers + 1) * 128).long(), minlength=256)
    chi_square = float(((counts - 100_003 / 256) ** 2 / (100_003 / 256)).sum())
    assert 180 < chi_square < 340  # 255 degrees of freedom
    for lag in range(1, 17):
        assert abs(float((numbers[lag:] * numbers[:-lag]).mean())) * 3 < 4 / math.sqrt(100_003)
