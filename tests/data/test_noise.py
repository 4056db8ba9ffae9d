import numpy as np

from gradlab.data import load
from gradlab.data._noise import uniform_noise


def test_noise_is_a_test_part_alone():
    data = load("noise")
    assert data.train is data.validation is None
    assert data.test.images.shape == (2000, 3, 32, 32)
    assert (data.mean, data.std) == ((), ())


def test_grey_levels_are_uniform():
    counts = np.bincount(uniform_noise(100, (3, 32, 32)).ravel(), minlength=256)
    expected = counts.sum() / 256
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)  # mean and deviation of chi-square with 255 degrees


def test_noise_is_the_same_every_time_and_depends_on_its_seed():
    assert (uniform_noise(3, (1, 5, 5)) == uniform_noise(3, (1, 5, 5))).all()
    assert (uniform_noise(3, (1, 5, 5)) != uniform_noise(3, (1, 5, 5), seed=8)).any()
