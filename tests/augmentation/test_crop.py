"""Crops against PIL's border and crop."""

import numpy as np
import pytest
import torch
from PIL import ImageOps

from gradlab.augmentation import Crop
from gradlab.types import UserError
from tests.augmentation.examples import by_pil, generator, images


def test_a_crop_is_pil_s_of_the_image_in_its_border():
    batch = images(count=20)
    crop = Crop(padding=3)
    drawn = crop.draw(20, (3, 10, 12), generator())

    def change(image, i):
        down, right = (int(number) + 3 for number in drawn[i])
        return ImageOps.expand(image, 3, 0).crop((right, down, right + 12, down + 10))

    assert torch.equal(crop.apply(batch, drawn), by_pil(batch, change))


def test_a_mirrored_border_is_numpy_s():
    batch = images(count=20)
    crop = Crop(padding=3, border="mirror")
    drawn = crop.draw(20, (3, 10, 12), generator())
    padded = np.pad(batch.numpy(), ((0, 0), (0, 0), (3, 3), (3, 3)), mode="reflect")
    for i, found in enumerate(crop.apply(batch, drawn).numpy()):
        down, right = (int(number) + 3 for number in drawn[i])
        assert np.array_equal(found, padded[i, :, down : down + 10, right : right + 12])


def test_a_cut_below_and_right_shows_the_image_above_and_left():
    batch = images(1)
    cut = Crop(padding=4).apply(batch, torch.tensor([[2.0, 3.0]]))
    assert torch.equal(cut[..., :8, :9], batch[..., 2:, 3:])
    assert cut[..., 8:, :].sum() == cut[..., 9:].sum() == 0


def test_places_are_uniform():
    drawn = Crop(padding=2).draw(5000, (1, 8, 8), generator())
    counts = torch.bincount(((drawn[:, 0] + 2) * 5 + drawn[:, 1] + 2).long(), minlength=25)
    assert len(counts) == 25
    assert float(((counts - 200) ** 2 / 200).sum()) < 43  # 99 % of chi-square with 24 degrees of freedom


def test_a_border_as_wide_as_the_image_is_refused():
    sentence = "padding must be smaller than the image, got 8 for images of 8×9 pixels; .* such as 1"
    with pytest.raises(UserError, match=sentence):
        Crop(padding=8)(torch.rand(1, 1, 8, 9), generator=generator())
    assert Crop(padding=7)(torch.rand(1, 1, 8, 9), generator=generator()).shape == (1, 1, 8, 9)
