"""The gradient of filters from tiles against PyTorch's convolution in full precision."""

import pytest
import torch
from torch import nn

from gradlab.models.tiled_convolution import TiledConv2d, tiles

HALF = torch.bfloat16


def of(layer, images, weights, *, half=True):
    """Outputs and gradients of images and filters, the outputs weighted."""
    images = images.clone().requires_grad_()
    with torch.autocast("cpu", HALF, enabled=half):
        outputs = layer(images)
    found = torch.autograd.grad((outputs.float() * weights).sum(), [images, layer.weight])
    return outputs.detach(), *found


def layers(inputs, outputs):
    plain = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    torch.nn.init.normal_(plain.weight, generator=torch.Generator().manual_seed(0))
    tiled = TiledConv2d(inputs, outputs, 3, padding=1, bias=False)
    tiled.load_state_dict(plain.state_dict())
    return plain, tiled


@pytest.mark.parametrize(
    ("height", "width", "count"), [(3, 3, 16), (3, 3, 17), (7, 7, 5), (5, 4, 3), (1, 1, 70)]
)
def test_gradients_are_those_of_a_convolution_up_to_rounding(height, width, count):
    stream = torch.Generator().manual_seed(1)
    plain, tiled = layers(6, 8)
    images = torch.randn(count, 6, height, width, generator=stream).to(HALF).float()
    weights = torch.randn(count, 8, height, width, generator=stream).to(HALF).float()
    with torch.no_grad():
        plain.weight.copy_(plain.weight.to(HALF))  # else the two start from different numbers
        tiled.weight.copy_(plain.weight)
    expected = of(plain, images, weights, half=False)
    for one, other in zip(of(tiled, images, weights), expected, strict=True):
        assert float((one.float() - other).norm()) <= 0.005 * float(other.norm())


def test_filters_learn_from_tiles_where_images_are_small_and_only_there(monkeypatch):
    made = []
    monkeypatch.setattr(
        "gradlab.models.tiled_convolution.tiles", lambda one: made.append(tuple(one.shape)) or tiles(one)
    )
    _, tiled = layers(4, 5)
    small, large = torch.randn(2, 4, 7, 7), torch.randn(2, 4, 8, 8)
    of(tiled, small, torch.ones(2, 5, 7, 7))
    assert made == [(2, 5, 7, 7), (2, 4, 7, 7)]
    for layer, images, half in ((tiled, large, True), (tiled, small, False), (tiled.eval(), small, True)):
        plain, _ = layers(4, 5)
        weights = torch.ones(2, 5, *images.shape[2:])
        for one, other in zip(
            of(layer, images, weights, half=half), of(plain, images, weights, half=half), strict=True
        ):
            assert torch.equal(one, other)
    assert len(made) == 2


def test_images_lie_side_by_side_with_zeros_between():
    images = torch.arange(1, 19.0).view(2, 1, 3, 3)
    made = tiles(images)
    assert made.shape == (1, 1, 16, 16)
    assert torch.equal(made[0, 0, :3, :3], images[0, 0])
    assert torch.equal(made[0, 0, :3, 4:7], images[1, 0])
    assert float(made.sum()) == float(images.sum())
