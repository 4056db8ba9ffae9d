"""Rotation against PIL's."""

import torch
from PIL import Image
from scipy import stats

from gradlab.augmentation import Rotation
from tests.augmentation.examples import by_pil, framed, generator, images


def test_rotation_is_pil_s_for_the_drawn_angles():
    batch = framed()
    rotation = Rotation(degrees=60)
    angles = rotation.draw(len(batch), (2, 17, 20), generator())
    expected = by_pil(batch, lambda image, i: image.rotate(float(angles[i]), Image.Resampling.BILINEAR))
    torch.testing.assert_close(rotation.apply(batch, angles), expected, atol=2e-5, rtol=0)


def test_quarter_turns_are_exact_turns_about_the_middle():
    batch = images(2, 3, 9, 9)
    for size in (9, 8):
        square = batch[..., :size, :size]
        turned = Rotation(degrees=180).apply(square, torch.tensor([90.0, -90.0]))
        torch.testing.assert_close(turned[0], torch.rot90(square[0], 1, (-2, -1)), atol=1e-5, rtol=0)
        torch.testing.assert_close(turned[1], torch.rot90(square[1], -1, (-2, -1)), atol=1e-5, rtol=0)


def test_a_positive_angle_is_counter_clockwise():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 4] = 1  # at three o'clock
    assert float(Rotation().apply(image, torch.tensor([90.0]))[0, 0, 0, 2]) > 0.999  # at twelve


def test_angles_are_uniform_within_their_range():
    angles = Rotation(degrees=25).draw(4000, (1, 8, 8), generator())
    assert stats.kstest(angles.numpy(), stats.uniform(-25, 50).cdf).pvalue > 0.01
    assert float(angles.abs().max()) <= 25


def test_the_corners_that_turn_in_are_black():
    turned = Rotation().apply(torch.ones(1, 1, 12, 12), torch.tensor([45.0]))
    assert float(turned[0, 0, 0, 0]) == 0
    assert float(turned[0, 0, 6, 6]) == 1
