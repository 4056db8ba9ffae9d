"""The layer with places: found in networks of many makers, or named."""

import pytest
import torch
from torch import nn

from gradlab.explain import EXPLAINERS, GradCAM, find_spatial_layer, grad_cam, saliency
from gradlab.models import CNN, MLP, ViT, build, wrap
from gradlab.types import UserError
from tests.explain.examples import averaging, drawn, images


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


class Turn(nn.Module):
    """Brings channels from the last axis to axis 1, so that there is a layer of each kind with the same numbers."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, batch):
        if self.how == "permute":
            return batch.permute(0, 3, 1, 2)
        return (
            torch.einsum("nyxc->ncyx", batch)
            if self.how == "einsum"
            else batch.movedim(source=-1, destination=1)
        )


class Last(nn.Module):
    """A block as those of ConvNeXt and Swin: (N, h, w, C) from the first norm to the end."""

    def __init__(self, width, how, kernel=2):
        super().__init__()
        self.stem = nn.Conv2d(3, width, kernel, stride=kernel)
        self.norm, self.widen, self.narrow = (
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.Linear(2 * width, width),
        )
        self.act, self.turn, self.head = nn.GELU(), Turn(how), nn.Linear(width, 4)

    def forward(self, batch):
        places = self.stem(batch).permute(0, 2, 3, 1)
        places = places + self.narrow(nn.functional.gelu(self.widen(self.norm(places))))
        return self.head(self.turn(self.act(places)).mean((2, 3)))


@pytest.mark.parametrize("kind", ["cam", "grad-cam", "grad-cam++", "layer-cam", "score-cam", "eigen-cam"])
@pytest.mark.parametrize("width", [8, 5])
def test_channels_on_the_last_axis_give_the_maps_of_channels_on_the_first(kind, width):
    """With 8 channels on 8×8 positions the sizes tell nothing."""
    model, batch = (
        drawn(Last(width, "permute"), dtype=torch.float32),
        images(3, (3, 16, 16), dtype=torch.float32),
    )
    assert find_spatial_layer(model, batch) == "turn"
    method = EXPLAINERS[kind]()
    last, first = (method(model, batch, 1, layer=name, raw=True) for name in ("act", "turn"))
    assert first.shape == (3, 8, 8)
    torch.testing.assert_close(last, first)
    for name in ("norm", "widen"):  # of channels alone
        if kind != "cam":
            assert method(model, batch, 1, layer=name, raw=True).shape == (3, 8, 8)


@pytest.mark.parametrize("how", ["permute", "movedim", "einsum"])
@pytest.mark.parametrize("side", [16, 20])
def test_where_no_layer_tells_the_axis_the_proportions_of_the_image_do_or_it_is_refused(how, side):
    model, batch = drawn(Last(8, how), dtype=torch.float32), images(2, (3, side, side), dtype=torch.float32)
    if how == "einsum" and side == 16:
        with pytest.raises(
            UserError,
            match=r"layer 'turn' gives \(N, 8, 8, 8\), and which of these are channels cannot be told",
        ):
            grad_cam(model, batch, 1, "turn")
        assert find_spatial_layer(model, batch) == "act"
    else:
        torch.testing.assert_close(grad_cam(model, batch, 1, "turn"), grad_cam(model, batch, 1, "act"))


class Line(nn.Module):
    """Convolutions along the rows of the image, one after the other."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv1d(3, 16, 3, padding=1)
        self.norm, self.head = nn.BatchNorm1d(16), nn.Linear(16, 4)

    def forward(self, batch):
        return self.head(self.norm(self.body(batch.flatten(2))).relu().mean(2))


def test_positions_in_a_line_lie_in_the_order_of_rows():
    """16 channels would fit a grid of 4×4 tokens."""
    model, batch = drawn(Line(), dtype=torch.float32).eval(), images(2, (3, 12, 12), dtype=torch.float32)
    raw = grad_cam(model, batch, 1, raw=True)
    value = model.norm(model.body(batch.flatten(2))).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(model.head(value.relu().mean(2))[:, 1].sum(), value)
    expected = (slope.mean(2, keepdim=True) * value).sum(1).detach().unflatten(1, (12, 12))
    torch.testing.assert_close(raw, expected)


def test_a_method_with_its_network_finds_the_grid_of_each_size_of_images():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.norm, self.head = (
                nn.Conv2d(3, 8, 4, stride=4),
                nn.LayerNorm(8),
                nn.Linear(8, 4),
            )

        def forward(self, batch):
            return self.head(self.norm(self.patches(batch).flatten(2).transpose(1, 2)).tanh().mean(1))

    model = drawn(Net(), dtype=torch.float32)
    bound = GradCAM(model, layer="norm")
    for shape in (
        (3, 16, 16),
        (3, 24, 16),
        (3, 16, 24),
        (3, 16, 16),
    ):  # the second and third have as many tokens
        batch = images(2, shape, dtype=torch.float32)
        found = bound(batch, 1, raw=True)
        assert found.shape[1:] == (shape[1] // 4, shape[2] // 4)
        assert torch.equal(found, GradCAM(layer="norm")(model, batch, 1, raw=True))
