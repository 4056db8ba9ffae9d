"""FLOPs and parameters against closed forms; the model is left as it was."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.models import MLP, summary, wrap
from gradlab.types import UserError

CONFIGS = [
    MLP(),
    MLP(width=7, depth=5, residual=True, norm="batch", dropout=0.2),
    MLP(widths=(12, 9, 5), norm="layer", activation="gelu"),
    MLP(depth=0, width=3, stem_activation=False),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_an_mlp_has_the_parameters_and_flops_of_the_formula(config):
    found = summary(config.build((3, 4, 5), 10, seed=0), (3, 4, 5))
    sizes = (60, *config.hidden, 10)
    assert found.flops == sum(2 * sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1))
    assert found.flops == config.flop_count(60, 10)
    assert found.parameters == found.trained == config.parameter_count(60, 10)
    assert found.frozen == 0


def conv_flops(c_in, c_out, kernel, out, groups=1):
    return 2 * c_out * (c_in // groups) * kernel * kernel * out * out


@pytest.mark.parametrize(
    ("layer", "shape", "flops"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (3, 6, 6), conv_flops(3, 8, 3, 6)),
        (nn.Conv2d(4, 8, 3, groups=2, stride=2), (4, 9, 9), conv_flops(4, 8, 3, 4, groups=2)),
        (nn.Conv2d(4, 4, 3, groups=4), (4, 5, 5), conv_flops(4, 4, 3, 3, groups=4)),
        (nn.Conv1d(2, 5, 3), (2, 9), 2 * 5 * 2 * 3 * 7),
        (nn.ConvTranspose2d(8, 4, 3, stride=2), (8, 4, 4), 2 * 8 * 4 * 9 * 16),
        (nn.Linear(6, 4, bias=False), (5, 6), 5 * 2 * 6 * 4),
        (nn.GRU(8, 4, batch_first=True), (5, 8), 5 * 2 * 3 * 4 * (8 + 4)),
        (nn.ReLU(), (3, 4), 0),
        (nn.MaxPool2d(2), (1, 4, 4), 0),
        (nn.BatchNorm2d(3), (3, 4, 4), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_layer_has_the_flops_of_the_formula(layer, shape, flops):
    found = summary(layer, shape)
    assert found.flops == flops
    assert found.parameters == sum(p.numel() for p in layer.parameters())


class Attention(nn.Module):
    def forward(self, x):
        heads = x[:, None]
        return functional.scaled_dot_product_attention(heads, heads, heads)[:, 0] @ x.transpose(1, 2)


def test_products_in_a_forward_belong_to_the_module_that_makes_them():
    found = summary(nn.Sequential(Attention(), nn.Linear(5, 2)), (5, 8))
    assert [(row.name, row.flops) for row in found.layers] == [
        ("0", 3 * 2 * 5 * 5 * 8),
        ("1", 5 * 2 * 5 * 2),
    ]


class Twice(nn.Module):
    """A layer used twice, one whose weight is another's, one that is never used, one frozen."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4, bias=False), nn.Linear(9, 9)
        self.b.weight = self.a.weight
        self.a.bias.requires_grad_(False)

    def forward(self, x):
        return self.b(self.a(self.a(x)))


def test_shared_frozen_and_unused_layers_are_counted_as_they_are():
    a, b, c = summary(Twice(), (4,)).layers
    assert (a.trained, a.frozen, a.flops) == (16, 4, 2 * 32)
    assert (b.trained, b.frozen, b.flops) == (0, 0, 32)
    assert (c.trained, c.flops, c.is_used, c.output) == (90, 0, False, None)
    assert "not used" in c.cells()


@pytest.mark.parametrize(
    "layer",
    [
        nn.LSTM(8, 4, batch_first=True),
        nn.MultiheadAttention(8, 2, batch_first=True),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_flops_that_have_no_formula_are_unknown_and_not_zero(layer):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.head = layer, nn.Linear(1, 1)

        def forward(self, x):
            several = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
            return self.layer(*several)[0]

    found = summary(Model(), (5, 8))
    assert next(row for row in found.layers if row.name == "layer").flops is None
    assert found.flops is None
    assert "FLOPs not known for every layer" in str(found)


def test_output_shapes_are_those_of_one_image():
    found = summary(MLP(width=6, depth=1).build((1, 8, 8), 3, seed=0), (1, 8, 8))
    outputs = {row.name: row.output for row in found.layers}
    assert outputs["normalise"] == (1, 8, 8)
    assert outputs["stem.0"] == (6,)
    assert outputs["head"] == (3,)


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model[1].eval()
    model[2].momentum = 1.0
    state = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    before = torch.get_rng_state()
    summary(model, (1, 2, 2))
    assert [layer.training for layer in model] == [True, False, True, True]
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(p.grad is None for p in model.parameters())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())


def test_no_hook_stays_where_the_model_fails():
    model = nn.Sequential(nn.Linear(4, 2))
    with pytest.raises(UserError, match=r"cannot read images of shape \(3,\) .* give the shape"):
        summary(model, (3,))
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    assert model.training


def test_a_forward_that_counts_itself_is_set_back():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return x

    model = Counts()
    summary(model, (2,))
    assert model.calls == 0


def test_number_formats_other_than_fp32_are_read():
    assert summary(nn.Linear(3, 2).double(), (3,)).flops == 12


@pytest.mark.parametrize(
    ("model", "shape", "sentence"),
    [
        (3, (1,), "summary reads a torch.nn.Module, got int"),
        (nn.Linear(2, 2), (), "input_shape is that of one image"),
        (nn.Linear(2, 2), (0,), "input_shape is that of one image"),
        (nn.Linear(2, 2), "ab", "input_shape is that of one image"),
        (nn.LazyLinear(2), (2,), "lazy layers"),
        (MLP().build((1, 8, 8), 10, seed=0), (1, 9, 9), "reads images of shape"),
    ],
)
def test_what_cannot_be_summarised_is_refused(model, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        summary(model, shape)


def test_the_text_is_a_table_with_totals():
    lines = str(summary(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), (1, 8, 8))).splitlines()
    assert lines[0] == "Sequential, images 1×8×8"
    assert lines[1].split() == ["layer", "type", "output", "parameters", "frozen", "FLOPs"]
    assert lines[3].split() == ["1", "Linear", "10", "650", "0", "1,280"]
    assert lines[-1] == "650 parameters (0 frozen), 1,280 FLOPs an image"


def test_the_html_escapes_names_and_json_is_plain():
    model = nn.Module()
    model.add_module("<b>", nn.Linear(2, 2))
    model.forward = lambda x: x
    found = summary(wrap(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))), (1, 2, 2))
    assert found._repr_html_().count("<tr>") == len(found.layers) + 1
    assert "&lt;b&gt;" in summary(model, (2,))._repr_html_()
    record = json.loads(json.dumps(found.as_record()))
    assert record["flops"] == 16
    assert record["layers"][-1]["output"] == [2]
