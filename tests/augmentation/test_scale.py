"""Scaling against scipy's affine transformation."""

import torch
from scipy import ndimage, stats

from gradlab.augmentation import Scale
from tests.augmentation.examples import by_array, generator, images


def test_scaling_is_scipy_s_affine_transformation_about_the_middle():
    batch = images()
    scale = Scale(smallest=0.5, largest=2)
    factors = scale.draw(len(batch), (3, 10, 12), generator())

    def change(plane, i):
        step = 1 / float(factors[i])
        return ndimage.affine_transform(
            plane, (step, step), (4.5 * (1 - step), 5.5 * (1 - step)), order=1, mode="grid-constant"
        )

    torch.testing.assert_close(scale.apply(batch, factors), by_array(batch, change), atol=2e-5, rtol=0)


def test_a_factor_above_one_enlarges():
    image = torch.zeros(1, 1, 9, 9)
    image[..., 3:6, 3:6] = 1
    assert Scale().apply(image, torch.tensor([2.0])).sum() > 3 * image.sum()
    assert Scale().apply(image, torch.tensor([0.5])).sum() < image.sum() / 3


def test_factors_are_uniform_within_their_range():
    factors = Scale(smallest=0.8, largest=1.3).draw(4000, (1, 8, 8), generator())
    assert stats.kstest(factors.numpy(), stats.uniform(0.8, 0.5).cdf).pvalue > 0.01
