"""Normalisation as a layer."""

import pytest
import torch

from gradlab.models import Normalise


def test_it_is_image_minus_mean_over_std_per_channel():
    images = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    mean, std = (0.5, 0.25, 0.1), (0.5, 2.0, 0.25)
    expected = torch.stack([(images[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)
    torch.testing.assert_close(Normalise(mean, std).double()(images), expected, rtol=1e-6, atol=1e-6)


def test_one_number_serves_all_channels_and_leading_dimensions_are_free():
    images = torch.rand(2, 5, 3, 4, 4)
    torch.testing.assert_close(Normalise((0.5,), (0.25,))(images), (images - 0.5) / 0.25)


def test_the_input_is_left_as_it_was_and_gradients_flow():
    images = torch.rand(2, 1, 2, 2, requires_grad=True)
    before = images.detach().clone()
    (gradient,) = torch.autograd.grad(Normalise((0.5,), (0.25,))(images).sum(), images)
    assert torch.equal(images, before)
    assert torch.equal(gradient, torch.full_like(gradient, 4.0))


def test_it_shows_mean_and_std():
    assert repr(Normalise((0.1307,), (0.3081,))) == "Normalise(mean=[0.1307], std=[0.3081])"


@pytest.mark.parametrize(
    ("mean", "std"),
    [((0.5,), (0.0,)), ((0.5,), (1.0, 1.0)), ((), ()), ((0.5,), (float("inf"),)), ((float("nan"),), (1.0,))],
)
def test_numbers_that_do_not_fit_are_refused(mean, std):
    with pytest.raises(ValueError, match="one number per channel and std must be positive"):
        Normalise(mean, std)


def test_images_of_another_number_of_channels_are_refused():
    with pytest.raises(ValueError, match=r"3 channels cannot normalise images of shape \(2, 1, 4, 4\)"):
        Normalise((0.5,) * 3, (0.5,) * 3)(torch.rand(2, 1, 4, 4))
