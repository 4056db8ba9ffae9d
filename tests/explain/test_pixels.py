"""Saliency, SmoothGrad, integrated gradients and occlusion where their values are known."""

import pytest
import torch
from torch import nn

from gradlab.explain import integrated_gradients, occlusion, saliency, smooth_grad
from gradlab.types import UserError
from tests.explain.examples import averaging, drawn, flattening, generator, images


def linear():
    return drawn(nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 10, 4)))


def weight(model, k):
    return model[1].weight[k].detach().view(1, 3, 12, 10)


def test_of_a_linear_model_saliency_and_smooth_grad_are_its_weights():
    model, batch = linear(), images()
    torch.testing.assert_close(saliency(model, batch, 2, raw=True), weight(model, 2).expand(6, -1, -1, -1))
    torch.testing.assert_close(
        smooth_grad(model, batch, 2, samples=4, raw=True), weight(model, 2).expand(6, -1, -1, -1)
    )
    strength = weight(model, 2).abs().amax(1)
    expected = (strength - strength.min()) / (strength.max() - strength.min())
    torch.testing.assert_close(saliency(model, batch, 2), expected.expand(6, -1, -1))


def test_smooth_grad_is_the_mean_gradient_of_noisy_copies():
    model, batch = flattening(), images()
    found = smooth_grad(model, batch, 1, samples=3, noise=0.2, generator=generator(5), raw=True)
    stream, total = generator(5), 0
    for _ in range(3):
        noise = torch.randn(batch.shape, generator=stream, dtype=batch.dtype)
        spread = torch.stack([one.max() - one.min() for one in batch])[:, None, None, None]
        noisy = (batch + 0.2 * spread * noise).requires_grad_(True)
        total = total + torch.autograd.grad(model(noisy)[:, 1].sum(), noisy)[0] / 3
    torch.testing.assert_close(found, total)


def test_of_a_linear_model_integrated_gradients_are_weight_times_change():
    model, batch = linear(), images()
    found = integrated_gradients(model, batch, 3, steps=2, baseline=0.25, raw=True)
    torch.testing.assert_close(found, weight(model, 3) * (batch - 0.25))


@pytest.mark.parametrize("baseline", [0.0, 0.5, images(1, seed=9)[0]])
def test_integrated_gradients_are_complete(baseline):
    """Their sum is the logit of the image minus that of the baseline; the quadrature of a smooth network is nearly exact."""
    model, batch = flattening(), images()
    found = integrated_gradients(model, batch, 1, steps=30, baseline=baseline, raw=True)
    start = torch.zeros_like(batch) + baseline
    change = (model(batch) - model(start))[:, 1].detach()
    torch.testing.assert_close(found.sum((1, 2, 3)), change, rtol=1e-8, atol=1e-8)
    coarse = integrated_gradients(model, batch, 1, steps=1, baseline=baseline, raw=True)
    assert float((coarse.sum((1, 2, 3)) - change).abs().max()) > 1e-6


def test_a_batch_and_many_steps_are_cut_into_passes_without_a_trace():
    model, batch = flattening(), images(9)
    for steps in (40, 300):
        together = integrated_gradients(model, batch, 2, steps=steps, raw=True)
        alone = torch.cat([integrated_gradients(model, one[None], 2, steps=steps, raw=True) for one in batch])
        torch.testing.assert_close(together, alone)


def test_occlusion_is_the_mean_fall_over_the_squares_that_hide_a_pixel():
    model, batch = averaging(), images(2)
    found = occlusion(model, batch, 1, size=4, stride=3, fill=0.25, raw=True)
    model.eval()
    before = model(batch)[:, 1].detach()
    total, count = torch.zeros(2, 12, 10, dtype=torch.float64), torch.zeros(12, 10)
    for top in (0, 3, 6, 8):
        for left in (0, 3, 6):
            hidden = batch.clone()
            hidden[:, :, top : top + 4, left : left + 4] = 0.25
            total[:, top : top + 4, left : left + 4] += (before - model(hidden)[:, 1].detach())[:, None, None]
            count[top : top + 4, left : left + 4] += 1
    assert float(count.min()) == 1
    torch.testing.assert_close(found, total / count)


def test_occlusion_finds_the_only_place_that_counts():
    class Corner(nn.Module):
        def forward(self, batch):
            return torch.stack(
                [batch[:, 0, 8:, 7:].sum((1, 2)), torch.zeros(len(batch), dtype=batch.dtype)], 1
            )

    found = occlusion(Corner(), images() * 0.4 + 0.6, 0, size=2, stride=1)
    assert (found[:, 8:, 7:] > 0).all()
    assert (found[:, :7] == 0).all()
    assert (found[:, :, :6] == 0).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda m, x: occlusion(m, x, size=11),
            "squares of size 11 in steps of 5 do not cover an image of 12×10 pixels",
        ),
        (lambda m, x: occlusion(m, x, size=2, stride=3), "take a size up to 10 and a stride up to the size"),
        (lambda m, x: smooth_grad(m, x, samples=0), "samples counts noisy copies and must be at least 1"),
        (
            lambda m, x: integrated_gradients(m, x, steps=0),
            "steps counts points on the way from the baseline",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call(averaging(), images())


@pytest.mark.parametrize(
    "baseline", [torch.zeros(3, 1, 2, 2), torch.zeros(9, 9), "black", float("nan"), None]
)
def test_a_baseline_that_fits_no_image_is_refused(baseline):
    with pytest.raises(UserError, match="a baseline is a grey level"):
        integrated_gradients(flattening(), images(2), 1, baseline=baseline)
