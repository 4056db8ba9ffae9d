"""Equal images are found whatever they are called, and noise by its pixels."""

import pytest
import torch

from gradlab.data import from_tensors, load
from gradlab.detection._content import is_noise, prints, prints_of_all


def test_equal_pixels_have_equal_prints_in_bytes_and_floats():
    images = load("digits").test.images
    assert prints(images / 255) == prints(images)
    assert len(prints(images)) == len(torch.unique(images, dim=0))


def test_images_that_are_in_some_part_are_counted_once():
    data = load("digits")
    taken = torch.cat(
        [data.train.images[:3], data.test.images[:2], data.test.images[:1], 255 - data.test.images[:4]]
    )
    known = prints_of_all(data)
    assert len(known & prints(taken)) == 5
    assert not known & prints(load("photos@8:grey").test)


@pytest.mark.parametrize("name", ["noise@8:grey", "gaussian-noise@8:grey", "gaussian-noise@32:rgb"])
def test_noise_is_known_by_its_pixels(name):
    assert is_noise(load(name).test)


@pytest.mark.parametrize("name", ["digits", "photos@8:grey", "photos"])
def test_pictures_are_no_noise(name):
    assert not is_noise(load(name).test)
    assert not is_noise(load(name).test.images / 255)


def test_flat_and_tiny_images_are_no_noise():
    assert not is_noise(torch.zeros(4, 1, 8, 8))
    assert not is_noise(torch.rand(4, 1, 1, 8))
    assert not is_noise(
        from_tensors(torch.full((4, 1, 8, 8), 9, dtype=torch.uint8), torch.arange(4) % 2).train
    )
