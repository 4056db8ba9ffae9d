"""Digits in four colours, taken apart again."""

import numpy as np

from gradlab.data import info, load
from gradlab.data._coloured import CHANNELS, coloured
from gradlab.data._digits import digits
from gradlab.data._names import COLOURS


def test_every_image_is_a_digit_in_the_colour_of_its_label():
    images, labels = coloured()
    grey, shown = digits()
    assert np.array_equal(images.max(axis=1), grey[:, 0])
    assert np.array_equal(labels // 4, shown)
    for image, label in zip(images, labels, strict=True):
        lit = tuple(int(channel.any()) for channel in image)
        assert lit == CHANNELS[COLOURS[label % 4]]


def test_colours_are_spread_evenly_and_know_nothing_of_the_digit():
    _, labels = coloured()
    counts = np.bincount(labels, minlength=40).reshape(10, 4)
    assert counts.min() > 25
    assert abs(counts.sum(0) / len(labels) - 0.25).max() < 0.04


def test_it_is_a_data_set_like_any_other_and_never_changes():
    data = load("coloured-digits[red_three,green_three]")
    assert data.class_names == ("red_three", "green_three")
    assert info("coloured-digits").checksum.startswith(CHECKSUM)


CHECKSUM = "sha256:"
"""Beginning of that of the whole."""
