import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.clip.preprocessing import Preprocessing, preprocessing_of
from gradlab.types import UserError
from tests.clip.examples import pictures

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def normalised(images: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (MEAN, STD))
    return (images - mean) / std


def test_images_of_the_right_size_are_normalised_and_nothing_else():
    images = pictures(2)
    assert torch.allclose(Preprocessing(8, MEAN, STD)(images), normalised(images), atol=1e-6)
    grey = images[:, :1]
    assert torch.allclose(
        Preprocessing(8, MEAN, STD)(grey), normalised(grey.expand(-1, 3, -1, -1)), atol=1e-6
    )


@pytest.mark.parametrize(("height", "width"), [(40, 40), (40, 61), (33, 20), (6, 9), (49, 98)])
def test_resampling_and_crop_are_those_of_pillow_within_its_rounding(height, width):
    """The shorter side to 16, bicubic and antialiased, then the middle; the contrast is low, so that nothing overshoots."""
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(90, 160, (height // 3 + 1, width // 3 + 1, 3)), np.ones((3, 3, 1)))
    pixels = smooth[:height, :width].astype(np.uint8)
    shape = [
        16 if side == min(height, width) else int(16 * side / min(height, width)) for side in (width, height)
    ]
    resized = np.asarray(Image.fromarray(pixels).resize(shape, Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - 16) // 2, (resized.shape[1] - 16) // 2
    wanted = torch.tensor(resized[top : top + 16, left : left + 16]).permute(2, 0, 1)[None] / 255
    images = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
    made = Preprocessing(16, (0.0,) * 3, (1.0,) * 3)(images)
    assert made.shape == wanted.shape
    assert (made - wanted).abs().max() < 2 / 255


def test_gradients_reach_the_images():
    images = pictures(1, 20).requires_grad_(True)
    Preprocessing(8, MEAN, STD)(images).sum().backward()
    assert (images.grad != 0).all()


def test_settings_are_read_as_they_are_written_and_what_differs_is_refused():
    made = Preprocessing(8, MEAN, STD)
    again = preprocessing_of(made.settings(), 8)
    assert (again.size, again.mean, again.std) == (8, MEAN, STD)
    for change, said in (
        ({"image_mean": None}, "must name image_mean and image_std"),
        ({"crop_size": {"height": 9, "width": 9}}, "asks for 9 pixels .* reads 8 pixels"),
        ({"resample": 2}, "resampling 2"),
        ({"image_std": ["a", "b", "c"]}, "three numbers each"),
        ({"do_normalize": False}, "asks for no normalize, but images are resized"),
        ({"do_center_crop": False}, "asks for no center_crop"),
        ({"rescale_factor": 1 / 127.5}, "another rescale_factor than 1/255"),
    ):
        with pytest.raises(UserError, match=said):
            preprocessing_of(made.settings() | change, 8)
    with pytest.raises(UserError, match=r"one channel or three, got \(1, 2, 8, 8\)"):
        made(torch.zeros(1, 2, 8, 8))
