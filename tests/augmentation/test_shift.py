"""Shifts against PIL's affine transformation and plain slices."""

import torch
from PIL import Image
from scipy import stats

from gradlab.augmentation import Shift
from tests.augmentation.examples import by_pil, framed, generator, images


def test_a_shift_is_pil_s_affine_transformation():
    batch = framed(width=20)  # 17 × 26 pixels
    shift = Shift(fraction=0.2)
    drawn = shift.draw(len(batch), (2, 17, 26), generator())

    def change(image, i):
        right, down = float(drawn[i, 0]) * 26, float(drawn[i, 1]) * 17
        return image.transform(
            image.size, Image.Transform.AFFINE, (1, 0, -right, 0, 1, -down), Image.Resampling.BILINEAR
        )

    torch.testing.assert_close(shift.apply(batch, drawn), by_pil(batch, change), atol=2e-5, rtol=0)


def test_whole_pixels_move_as_slices_and_nothing_wraps():
    batch = images(1, 2, 8, 8)
    moved = Shift(fraction=1).apply(batch, torch.tensor([[0.25, -0.125]]))  # two right, one up
    expected = torch.zeros_like(batch)
    expected[..., :7, 2:] = batch[..., 1:, :6]
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_half_a_pixel_is_the_mean_of_neighbours_and_of_zero_at_the_border():
    batch = images(1, 1, 4, 4)
    moved = Shift(fraction=1).apply(batch, torch.tensor([[0.125, 0.0]]))
    left = torch.nn.functional.pad(batch, (1, 0, 0, 0))[..., :4]
    torch.testing.assert_close(moved, (batch + left) / 2, atol=1e-6, rtol=0)


def test_shifts_are_uniform_and_independent_along_both_axes():
    drawn = Shift(fraction=0.1).draw(4000, (1, 8, 8), generator()).numpy()
    for axis in range(2):
        assert stats.kstest(drawn[:, axis], stats.uniform(-0.1, 0.2).cdf).pvalue > 0.01
    assert abs(stats.pearsonr(drawn[:, 0], drawn[:, 1]).statistic) < 0.06
