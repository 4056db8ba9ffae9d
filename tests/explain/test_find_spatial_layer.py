"""The layer with places: found in networks of many makers, or named."""

import pytest
import torch
from torch import nn

from gradlab.explain import find_spatial_layer, grad_cam, saliency
from gradlab.models import CNN, MLP, ViT, build, wrap
from gradlab.types import UserError
from tests.explain.examples import averaging, images


def small(count=2, side=16):
    return images(count, (3, side, side), dtype=torch.float32)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (averaging(dtype=torch.float32), "5"),
        (CNN(widths=(4, 6)).build((3, 16, 16), 5, seed=0), "blocks"),
        (CNN(widths=(4, 6), residual=True, pool="max").build((3, 16, 16), 5, seed=0), "blocks.1.0"),
        (build("resnet20", input_shape=(3, 16, 16)), "layer3"),
        (wrap(build("resnet20", input_shape=(3, 16, 16)), (0.5,), (0.2,)), "module.layer3"),
        (ViT(patch=4, width=8, depth=2, heads=2).build((3, 16, 16), 5, seed=0), "norm"),
        (ViT(patch=4, width=8, depth=2, heads=2, end="class-token").build((3, 16, 16), 5, seed=0), "blocks.1.attention_norm"),
    ],
)  # fmt: skip
def test_it_is_the_last_before_pooling_and_the_last_that_the_logits_read(model, expected):
    assert find_spatial_layer(model, small()) == expected
    found = grad_cam(model, small())
    assert found.shape == (2, 16, 16)
    assert torch.equal(found, grad_cam(model, small(), layer=expected))


@pytest.mark.parametrize("end", ["mean", "class-token"])
def test_tokens_come_back_to_their_places(end):
    """Patches in a block of the image alone differ, so that the map differs from its rest there alone."""
    model = ViT(patch=4, width=8, depth=1, heads=2, end=end).build((3, 16, 24), 5, seed=0)
    with torch.no_grad():
        model.tokens.positions.zero_()
    batch = torch.full((1, 3, 16, 24), 0.2)
    batch[:, :, 4:8, 16:20] = 0.9
    raw = grad_cam(model, batch, layer="blocks.0.attention_norm", raw=True)[0]
    assert raw.shape == (4, 6)
    others = raw.clone()
    others[1, 4] = others[0, 0]
    torch.testing.assert_close(others, others[0, 0].expand(4, 6))
    assert abs(float(raw[1, 4] - raw[0, 0])) > 1e-6


class Heads(nn.Module):
    """A side branch with places that the logits do not depend on, run last."""

    def __init__(self):
        super().__init__()
        self.body, self.head, self.aside = nn.Conv2d(3, 4, 3), nn.Linear(4, 3), nn.Conv2d(4, 2, 1)

    def forward(self, batch):
        places = self.body(batch).relu()
        logits = self.head(places.mean((2, 3)))
        self.aside(places)
        return logits


def test_a_branch_that_the_logits_do_not_read_is_not_taken():
    assert find_spatial_layer(Heads(), small()) == "body"


def test_a_block_that_returns_a_tuple_can_be_named():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Conv2d(3, 4, 3)

        def forward(self, batch):
            return self.inner(batch), "extra"

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.head = Block(), nn.Linear(4, 3)

        def forward(self, batch):
            places, extra = self.block(batch)
            assert extra == "extra"
            return self.head(places.mean((2, 3)))

    model = Net()
    assert torch.equal(grad_cam(model, small(), layer="block"), grad_cam(model, small(), layer="block.inner"))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 2)

    def forward(self, batch):
        return self.head(self.one(self.one(batch)).mean((2, 3)))


@pytest.mark.parametrize(
    ("model", "layer", "sentence"),
    [
        (averaging(), "layer4", "Sequential has no layer 'layer4'; the first level has 0, 1"),
        (CNN(widths=(4, 6)).build((3, 12, 10), 5, seed=0), "block", "did you mean 'blocks'"),
        (
            averaging(),
            "9",
            r"layer '9' gives neither \(N, C, h, w\) with several positions nor tokens, so its output says nothing",
        ),
        (averaging(), "6", "name a convolution, a block or a norm of tokens before the pooling"),
        (Twice(), "one", "layer 'one' runs 2 times in one forward pass"),
        (
            MLP(width=4).build((3, 12, 10), 3, seed=0),
            None,
            "has no layer with spatial positions before its logits, .*saliency",
        ),
    ],
)
def test_what_has_no_places_is_refused_with_what_to_do(model, layer, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        grad_cam(model.float(), images(dtype=torch.float32), layer=layer)
    assert "\n" not in str(error.value)


def test_where_there_is_no_layer_with_places_pixels_still_have_maps():
    model = MLP(width=4).build((3, 12, 10), 3, seed=0)
    assert saliency(model, images(dtype=torch.float32)).shape == (6, 12, 10)
