"""The MLP builder: counts by formula, forward in plain torch, twins that differ in the skip alone."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from torch import Tensor
from torch.nn import functional

from gradlab.models import MLP

SHAPE = (1, 4, 4)
FUNCTIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "leaky-relu": lambda x: torch.where(x > 0, x, 0.01 * x),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)),
}


def build(config: MLP, seed: int = 0, shape: tuple[int, int, int] = SHAPE, classes: int = 3, **normalise):
    return config.build(shape, classes, seed=seed, **normalise)


def by_hand(state: dict[str, Tensor], config: MLP, images: Tensor, mean: float, std: float) -> Tensor:
    """The network written out with matrices, in eval mode, from its weights in order of registration."""
    linears = [name[: -len(".weight")] for name, value in state.items() if value.dim() == 2]
    act = FUNCTIONS[config.activation]

    def norm(x: Tensor, linear: str) -> Tensor:
        place, number = linear.rsplit(".", 1)
        key = f"{place}.{int(number) + 1}"
        if config.norm == "batch":
            x = (x - state[f"{key}.running_mean"]) / (state[f"{key}.running_var"] + 1e-5).sqrt()
        elif config.norm == "layer":
            centred = x - x.mean(-1, keepdim=True)
            x = centred / ((centred**2).mean(-1, keepdim=True) + 1e-5).sqrt()
        else:
            return x
        return x * state[f"{key}.weight"] + state[f"{key}.bias"]

    def affine(x: Tensor, linear: str) -> Tensor:
        return x @ state[f"{linear}.weight"].T + state[f"{linear}.bias"]

    x = ((images - mean) / std).reshape(len(images), -1)
    x = affine(x, linears[0])
    if config.stem_activation:
        x = act(norm(x, linears[0]))
    size = config.layers_per_block
    for start in range(1, len(linears) - 1, size):
        skip = x
        for place, linear in enumerate(linears[start : start + size], 1):
            x = norm(affine(x, linear), linear)
            if place < size or config.activation_place == "inside":
                x = act(x)
        x = skip + x if config.residual else x
        x = act(x) if config.activation_place == "after-sum" else x
    return affine(x, linears[-1])


CONFIGS = [
    MLP(width=5, depth=0),
    MLP(width=5, depth=4, stem_activation=False),
    MLP(width=5, depth=4, residual=True, layers_per_block=2),
    MLP(width=5, depth=4, residual=True, layers_per_block=2, activation_place="after-sum", norm="batch"),
    MLP(width=5, depth=3, residual=True, norm="layer", stem_activation=False, activation="gelu"),
    MLP(width=5, depth=2, activation="leaky-relu", activation_place="after-sum", norm="layer"),
    MLP(widths=(7, 5, 3), activation="tanh", norm="batch"),
    MLP(widths=(6,), activation="sigmoid", dropout=0.5),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forward_equals_the_network_written_out_with_matrices(config):
    network = build(config, mean=(0.3,), std=(0.5,)).double().eval()
    generator = torch.Generator().manual_seed(1)
    for value in network.state_dict().values():
        if value.is_floating_point() and value.dim() == 1:  # norms with values of their own
            value.copy_(torch.rand(value.shape, generator=generator, dtype=torch.float64) + 0.5)
    images = torch.rand(6, *SHAPE, generator=generator, dtype=torch.float64)
    expected = by_hand(network.state_dict(), config, images, 0.3, 0.5)
    # mean and std are kept in float32, hence 1e-6
    torch.testing.assert_close(network(images), expected, rtol=1e-6, atol=1e-6)


@settings(max_examples=40)
@given(
    width=st.integers(1, 9),
    blocks=st.integers(0, 4),
    size=st.integers(1, 3),
    norm=st.sampled_from(["none", "batch", "layer"]),
    stem=st.booleans(),
    classes=st.integers(1, 5),
    side=st.integers(1, 4),
)
def test_parameter_count_by_formula_equals_the_sum_over_the_tensors(
    width, blocks, size, norm, stem, classes, side
):
    depth = blocks * size
    config = MLP(width=width, depth=depth, layers_per_block=size, norm=norm, stem_activation=stem)
    network = config.build((1, side, side), classes, seed=0)
    counted = sum(parameter.numel() for parameter in network.parameters())
    linear = (side * side + 1) * width + depth * (width + 1) * width + (width + 1) * classes
    norms = 0 if norm == "none" else 2 * width * (depth + stem)
    assert counted == linear + norms == config.parameter_count(side * side, classes)


def test_published_parameter_counts_are_reached():
    assert MLP(widths=(128, 64)).parameter_count(784, 10) == 109_386  # lab 000
    assert MLP(widths=(64, 64)).parameter_count(784, 10) == 55_050  # lab 004
    residual = MLP(width=110, depth=4, layers_per_block=2, residual=True)
    assert residual.parameter_count(784, 10) == 136_300  # lab 000, two blocks of two layers
    assert MLP(width=64, depth=10).parameter_count(784, 10) == 92_490  # lab 004


@settings(max_examples=25)
@given(
    size=st.integers(1, 2),
    blocks=st.integers(1, 3),
    norm=st.sampled_from(["none", "batch", "layer"]),
    place=st.sampled_from(["inside", "after-sum"]),
    seed=st.integers(0, 2**40),
)
def test_twins_have_the_same_names_and_bits_and_differ_in_the_skip_alone(size, blocks, norm, place, seed):
    plain = MLP(
        width=5, depth=size * blocks, layers_per_block=size, norm=norm, activation_place=place, dropout=0.1
    )
    a, b = build(plain, seed), build(replace(plain, residual=True), seed)
    assert list(a.state_dict()) == list(b.state_dict())
    assert all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )
    lines = zip(repr(a).splitlines(), repr(b).splitlines(), strict=True)
    differing = {(x.strip(), y.strip()) for x, y in lines if x != y}
    assert differing == {("residual=False", "residual=True")}


@pytest.mark.parametrize("place", ["inside", "after-sum"])
def test_a_residual_block_with_a_zero_last_layer_is_the_identity_on_positive_features(place):
    config = MLP(width=6, depth=2, layers_per_block=2, residual=True, activation_place=place)
    block = build(config).blocks[0]
    last = [layer for layer in block.branch if isinstance(layer, torch.nn.Linear)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    features = torch.rand(4, 6)
    assert torch.equal(block(features), features)
    expected = features if place == "inside" else torch.zeros(4, 6)  # relu of the sum
    assert torch.equal(block(-features), -expected if place == "inside" else expected)


def test_layers_per_block_changes_where_the_skips_are_and_nothing_else():
    images = torch.rand(3, *SHAPE)
    one, two = (build(MLP(width=5, depth=4, layers_per_block=size)) for size in (1, 2))
    assert torch.equal(one(images), two(images))
    one, two = (build(MLP(width=5, depth=4, layers_per_block=size, residual=True)) for size in (1, 2))
    assert not torch.equal(one(images), two(images))


def test_dropout_drops_in_train_mode_only_and_about_as_often_as_asked():
    network = build(MLP(width=400, depth=0, dropout=0.25))
    images = torch.rand(8, *SHAPE)
    features = network.stem[:-1](network.prepare(images))
    torch.manual_seed(0)
    dropped = network.train().stem(network.prepare(images))
    share = float(((dropped == 0) & (features > 0)).sum() / (features > 0).sum())
    assert abs(share - 0.25) < 0.05  # 5 standard errors of 1,600 draws
    kept = (dropped != 0) & (features > 0)
    torch.testing.assert_close(dropped[kept], features[kept] / 0.75)
    assert torch.equal(network.eval().stem(network.prepare(images)), features)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_layer_but_the_head_has_a_norm(norm):
    network = build(MLP(width=5, depth=3, norm=norm))
    kinds = {"batch": torch.nn.BatchNorm1d, "layer": torch.nn.LayerNorm}
    found = [] if norm == "none" else [m for m in network.modules() if isinstance(m, kinds[norm])]
    assert len(found) == (0 if norm == "none" else 4)
    assert network.stem[-1].__class__ is torch.nn.ReLU


def test_describe_names_stem_blocks_and_head():
    assert MLP(depth=32).describe(784, 10) == "stem 784→16, 32 × 16→16, head 16→10"
    text = MLP(depth=4, layers_per_block=2, residual=True).describe(784, 10)
    assert text == "stem 784→16, 4 × 16→16 in blocks of 2 with skips, head 16→10"
    assert MLP(widths=(128, 64)).describe(784, 10) == "stem 784→128, 128→64, head 64→10"
    assert MLP(depth=0).describe(64, 10) == "stem 64→16, head 16→10"


def test_a_network_reads_any_leading_dimensions():
    network = build(MLP(width=5, depth=2, residual=True)).double()
    images = torch.rand(2, 3, *SHAPE, dtype=torch.float64)
    torch.testing.assert_close(network(images)[1], network(images[1]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"depth": -3}, "must be at least 0, got -3"),
        ({"depth": 3, "layers_per_block": 2}, "multiple of 2"),
        ({"widths": ()}, r"widths=\(128, 64\)"),
        ({"widths": (8, 4), "residual": True}, r"got widths \(8, 4\); use width and depth"),
        (
            {"widths": (8,), "depth": 3},
            r"and \(8,\) have depth 0, .* got depth 3; leave the depth out, or name 4 widths",
        ),
        ({"widths": (8, 4, 2), "depth": 0}, r"and \(8, 4, 2\) have depth 2, .* got depth 0"),
        ({"width": 0}, "at least 1"),
        ({"dropout": 1.0}, "less than 1"),
        ({"activation": "swish"}, "'relu'"),
        ({"hight": 3}, "hight"),
    ],
)
def test_wrong_configurations_are_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        MLP(**arguments)


@pytest.mark.parametrize("widths", [(128, 64), (8,), (256, 256, 128, 128, 64, 64, 32, 32, 16, 16)])
def test_widths_of_an_older_record_beside_the_default_depth_still_read(widths):
    adapter = TypeAdapter(MLP)
    dumped = adapter.dump_python(MLP(widths=widths), mode="json")
    assert (dumped["depth"], dumped["width"]) == (2, 16)  # part of the hash of every record
    assert adapter.validate_python(dumped) == MLP(widths=widths)
    assert MLP(widths=widths, depth=len(widths) - 1).hidden == widths


def test_wrong_shapes_are_refused_with_what_to_do():
    network = build(MLP())
    with pytest.raises(ValueError, match=r"shape \(N, 1, 4, 4\), got \(2, 1, 5, 5\); resize"):
        network(torch.rand(2, 1, 5, 5))
    with pytest.raises(ValueError, match=r"input shape \(C, H, W\)"):
        MLP().build((16,), 3, seed=0)
    with pytest.raises(ValueError, match="one per channel, got 3 for 1 channels"):
        build(MLP(), mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="at least one class"):
        MLP().build(SHAPE, 0, seed=0)


def test_head_gradient_flows_to_every_parameter():
    network = build(MLP(width=8, depth=2, norm="layer", residual=True, activation="tanh"))
    functional.cross_entropy(network(torch.rand(5, *SHAPE)), torch.tensor([0, 1, 2, 0, 1])).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_dropout_at_the_end_of_each_block_is_where_a_published_residual_net_has_it():
    """784-110, two blocks (110-110 ReLU 110-110 dropout, sum, ReLU), 110-10: 136,300 parameters."""
    config = MLP(
        width=110,
        depth=4,
        layers_per_block=2,
        dropout=0.2,
        dropout_place="block-end",
        activation_place="after-sum",
        residual=True,
    )
    network = config.build((1, 28, 28), 10, seed=0)
    kinds = [[type(layer).__name__ for layer in block.branch] for block in network.blocks]
    assert kinds == [["Linear", "ReLU", "Linear", "Dropout"]] * 2
    assert [type(layer).__name__ for layer in network.stem] == ["Linear", "ReLU"]
    assert sum(parameter.numel() for parameter in network.parameters()) == 136_300
