import numpy as np
from scipy.stats import norm

from gradlab.data import arrays, load
from gradlab.data._noise import gaussian_noise, uniform_noise


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


def test_gaussian_noise_is_normal_and_cut_at_black_and_white():
    levels = gaussian_noise(300, (3, 32, 32)).ravel().astype(int)
    edges = (np.arange(255) + 0.5 - 127.5) / 64
    expected = np.diff(norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]]))) * len(levels)
    chi_square = ((np.bincount(levels, minlength=256) - expected) ** 2 / expected).sum()
    assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)
    assert abs(levels.mean() - 127.5) < 0.3  # five standard errors
    assert load("gaussian-noise").checksum != load("noise").checksum


def test_noise_is_drawn_at_the_size_that_is_asked_for_and_never_resampled():
    found = arrays("noise@8:grey")
    assert (found.info.input_shape, found.info.counts) == ((1, 8, 8), {"test": 2000})
    assert (found.parts["test"].images == uniform_noise(2000, (1, 8, 8))).all()
    assert found.info.notes == ("The noise was drawn at 1×8×8, not resampled.",)
    assert arrays("noise#30@9").info.counts == {"test": 30}
    assert arrays("noise").info.notes == ()
