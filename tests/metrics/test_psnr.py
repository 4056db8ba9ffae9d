import numpy as np
import pytest

from gradlab.metrics import psnr
from gradlab.types import UserError


def test_it_is_the_mean_squared_difference_in_decibels():
    black = np.zeros((3, 2, 4, 5))
    others = black.copy()
    others[0] += 0.1  # a mean square of 0.01
    others[1, 0, 0, 0] = 1  # of 1/40
    others[2] += 1
    assert psnr(black, others) == pytest.approx([20, 10 * np.log10(40), 0])


def test_equal_images_have_an_infinite_one():
    images = np.random.default_rng(0).random((2, 1, 3, 3))
    assert np.isposinf(psnr(images, images)).all()


def test_shapes_must_agree():
    with pytest.raises(UserError, match="one shape"):
        psnr(np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 3)))
