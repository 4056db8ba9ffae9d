"""Shear against PIL's affine transformation."""

import math

import torch
from PIL import Image
from scipy import stats

from gradlab.augmentation import Shear
from tests.augmentation.examples import by_pil, framed, generator


def test_shear_is_pil_s_affine_transformation_about_the_middle():
    batch = framed(border=4)
    height = batch.shape[-2]
    shear = Shear(degrees=40)
    degrees = shear.draw(len(batch), (2, *batch.shape[-2:]), generator())

    def change(image, i):
        lean = math.tan(math.radians(float(degrees[i])))
        return image.transform(
            image.size,
            Image.Transform.AFFINE,
            (1, lean, -lean * height / 2, 0, 1, 0),
            Image.Resampling.BILINEAR,
        )

    torch.testing.assert_close(shear.apply(batch, degrees), by_pil(batch, change), atol=3e-5, rtol=0)


def test_a_positive_angle_leans_the_top_to_the_right_and_keeps_the_middle_row():
    image = torch.zeros(1, 1, 9, 9)
    image[..., 4] = 1  # a vertical line
    leaning = Shear().apply(image, torch.tensor([45.0]))[0, 0]
    torch.testing.assert_close(leaning, torch.eye(9).flip(1), atol=1e-5, rtol=0)


def test_angles_are_uniform_within_their_range():
    degrees = Shear(degrees=20).draw(4000, (1, 8, 8), generator())
    assert stats.kstest(degrees.numpy(), stats.uniform(-20, 40).cdf).pvalue > 0.01
