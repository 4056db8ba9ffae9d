"""The CAM family against sums by hand, plain autograd and identities."""

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.explain import (
    cam,
    eigen_cam,
    grad_cam,
    grad_cam_plus_plus,
    layer_cam,
    score_cam,
)
from gradlab.models import CNN
from gradlab.types import UserError
from tests.explain.examples import averaging, features, flattening, images


def by_autograd(model, batch, layers, classes):
    """Activations and the gradient of each image's logit there, one image after the other, with the whole graph."""
    found = []
    for image, k in zip(batch, classes, strict=True):
        activations, rest = features(model, image[None], layers)
        (gradient,) = torch.autograd.grad(rest(activations)[0, k], activations)
        found.append((activations[0].detach(), gradient[0]))
    return (torch.stack(one) for one in zip(*found, strict=True))


def test_behind_a_mean_and_a_linear_head_grad_cam_times_places_is_cam():
    model, batch = averaging(), images()
    whole, by_gradient = cam(model, batch, 1, raw=True), grad_cam(model, batch, 1, raw=True)
    assert whole.shape == (6, 6, 5)
    torch.testing.assert_close(by_gradient * 6 * 5, whole)
    torch.testing.assert_close(grad_cam(model, batch, 1), cam(model, batch, 1))


def test_the_mean_of_cam_plus_the_bias_is_the_logit():
    model, batch = averaging(), images()
    model.eval()
    for k in range(4):
        torch.testing.assert_close(
            cam(model, batch, k, raw=True).mean((1, 2)) + model[9].bias[k], model(batch)[:, k]
        )


def test_the_same_on_a_cnn_of_ours():
    model = CNN(widths=(4, 6), residual=True).build((3, 12, 10), 5, seed=0).double()
    whole = cam(model, images(), raw=True)
    logits = model.eval()(images())
    torch.testing.assert_close(whole.mean((1, 2)) + model.head.bias[logits.argmax(1)], logits.amax(1))
    torch.testing.assert_close(grad_cam(model, images(), raw=True) * whole[0].numel(), whole)


def test_grad_cam_is_the_sum_of_mean_gradient_times_activation():
    model, batch, classes = flattening(), images(), [0, 1, 2, 3, 0, 1]
    activations, gradients = by_autograd(model, batch, 2, classes)
    expected = (gradients.mean((2, 3), keepdim=True) * activations).sum(1)
    torch.testing.assert_close(grad_cam(model, batch, classes, raw=True), expected)
    named = grad_cam(model, batch, classes, "0", raw=True)
    before, slope = by_autograd(model, batch, 1, classes)
    torch.testing.assert_close(named, (slope.mean((2, 3), keepdim=True) * before).sum(1))


def test_layer_cam_weights_each_place_by_its_positive_gradient():
    model, batch, classes = flattening(), images(), [0, 1, 2, 3, 0, 1]
    activations, gradients = by_autograd(model, batch, 2, classes)
    expected = (gradients.clamp(min=0) * activations).sum(1)
    torch.testing.assert_close(layer_cam(model, batch, classes, raw=True), expected)


def test_grad_cam_plus_plus_follows_its_equations_place_by_place():
    """Derivatives of exp(logit) by autograd thrice, instead of powers of the gradient; one channel and place at a time."""
    model, batch = averaging(), images(2)
    found = grad_cam_plus_plus(model, batch, 1, raw=True)
    for row in range(2):
        activations, rest = features(model, batch[row : row + 1], 6)
        value = activations.detach().requires_grad_(True)
        score = rest(value)[0, 1].exp()
        (first,) = torch.autograd.grad(score, value, create_graph=True)
        weights = torch.zeros(7, dtype=torch.float64)
        for channel in range(7):
            for place in np.ndindex(6, 5):
                (second,) = torch.autograd.grad(first[(0, channel, *place)], value, create_graph=True)
                two = second[(0, channel, *place)]
                (third,) = torch.autograd.grad(two, value, retain_graph=True)
                three, total = third[(0, channel, *place)], value[0, channel].sum()
                alpha = two / (2 * two + total * three) if float(two.detach()) else 0 * two
                weights[channel] += float((alpha * first[(0, channel, *place)].clamp(min=0)).detach())
        expected = (weights[:, None, None] * value.detach()[0]).sum(0)
        ratio = expected / found[row]  # the factor exp(logit), the same at every place
        assert float(expected.abs().max()) > 0
        torch.testing.assert_close(ratio[found[row] != 0], score.detach().expand_as(ratio)[found[row] != 0])


@pytest.mark.parametrize(("channels", "side"), [(40, 6), (7, 6), (3, 64)])
def test_eigen_cam_is_the_projection_on_the_first_singular_vector(channels, side):
    """With fewer places than channels, more, and so many more that places × places would take gigabytes."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, channels, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4)
    ).double()
    batch = torch.rand(20, 3, side, side, dtype=torch.float64)
    found = eigen_cam(model, batch, layer="1", raw=True)
    for one, map_ in zip(model[:2](batch).detach(), found, strict=True):
        matrix = one.flatten(1).T.numpy()
        _, _, right = np.linalg.svd(matrix, full_matrices=False)
        expected = matrix @ right[0]
        expected *= np.sign(expected.sum())
        assert np.allclose(map_.flatten().numpy(), expected)


def test_score_cam_is_a_loop_over_masked_images():
    model, batch = averaging(), images(2)
    activations, _ = features(model, batch, 6)
    found = score_cam(model, batch, 1, raw=True)
    for image, channels, map_ in zip(batch, activations.detach(), found, strict=True):
        scores = []
        for channel in channels:
            mask = nn.functional.interpolate(
                channel[None, None], size=(12, 10), mode="bilinear", align_corners=False
            )
            spread = mask.max() - mask.min()
            mask = (mask - mask.min()) / spread if spread > 0 else 0 * mask
            scores.append(model(image[None] * mask[0])[0, 1].detach())
        weights = torch.stack(scores).softmax(0)
        torch.testing.assert_close(map_, (weights[:, None, None] * channels).sum(0))


def test_the_budget_of_score_cam_counts_masked_images_and_takes_the_strongest_channels():
    model, batch = averaging(), images(4)
    seen = []
    handle = model.register_forward_hook(lambda *it: seen.append(len(it[1][0])))
    score_cam(model, batch, 1, budget=3)
    handle.remove()
    assert (
        sum(seen) == 2 + 4 + 4 * 3
    )  # one image twice to find the layer, the images, and three masks for each
    activations, _ = features(model, batch, 6)
    best = activations.square().sum((2, 3)).argmax(1)
    one = score_cam(model, batch, 1, budget=1, raw=True)
    torch.testing.assert_close(one, activations[torch.arange(4), best].detach())


def test_cam_says_which_networks_it_is_for():
    with pytest.raises(
        UserError, match=r"averages a layer over all positions .* something else after '1'; take grad_cam"
    ):
        cam(flattening(), images())
    with pytest.raises(UserError, match="got a function as target; take grad_cam"):
        cam(averaging(), images(), lambda logits: logits[:, 0])


def test_layers_behind_that_work_in_place_do_not_change_what_the_layer_gave():
    def net(*, inplace):
        with torch.random.fork_rng():
            torch.random.manual_seed(0)
            return nn.Sequential(
                nn.Conv2d(3, 4, 3),
                nn.ReLU(inplace=inplace),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(4, 3),
            ).double()

    plain, in_place = (grad_cam(net(inplace=one), images(), 1, "0", raw=True) for one in (False, True))
    assert torch.equal(plain, in_place)
