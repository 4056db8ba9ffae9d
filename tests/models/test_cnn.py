"""The CNN builder: counts by formula, forward in plain torch, twins that differ in the skip alone."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional

from gradlab.data import from_tensors
from gradlab.models import CNN, initialise, load, save, summary
from gradlab.models.cnn_layers import shortcut
from gradlab.models.steps import steps_of
from gradlab.training import Recipe, fit, predict_logits, probe
from gradlab.types import UserError
from tests.models.test_mlp import FUNCTIONS
from tests.models.test_steps import run

SHAPE = (2, 8, 8)
CONFIGS = [
    CNN(widths=(3,)),
    CNN(widths=(3, 6), blocks=2, residual=True),
    CNN(widths=(4, 5, 9), residual=True, norm="none", activation="gelu", init="default"),
    CNN(widths=(4, 8, 8), residual=True, activation_place="inside", layers_per_block=1, activation="tanh"),
    CNN(widths=(6, 3), stride=1, layers_per_block=3, activation="leaky-relu", dropout=0.4, init="xavier"),
    CNN(widths=(4, 7), stride=1, residual=True, activation="sigmoid"),
]


def build(config: CNN, seed: int = 0, shape: tuple[int, int, int] = SHAPE, **normalise):
    return config.build(shape, 3, seed=seed, **normalise)


def moved(config: CNN, **more):
    """A network in eval mode whose norms have values of their own."""
    network = build(config, **more).double()
    network(torch.rand(16, *SHAPE, dtype=torch.float64))
    generator = torch.Generator().manual_seed(1)
    for name, value in network.state_dict().items():
        if value.dim() == 1 and value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator, dtype=torch.float64) + 0.5)
            assert "normalise" not in name
    return network.eval()


def by_hand(state: dict[str, Tensor], config: CNN, images: Tensor, mean: float, std: float) -> Tensor:
    """The network written out with functions, in eval mode, from its weights in order of registration."""
    weights = [name for name, value in state.items() if value.dim() == 4]
    act = FUNCTIONS[config.activation]

    def layer(x: Tensor, weight: str, stride: int) -> Tensor:
        place, number, _ = weight.rsplit(".", 2)
        x = functional.conv2d(x, state[weight], state.get(f"{place}.{number}.bias"), stride, 1)
        if config.norm == "none":
            return x
        key = f"{place}.{int(number) + 1}"
        mu, var, gain, bias = (
            state[f"{key}.{name}"][:, None, None]
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mu) / (var + 1e-5).sqrt() * gain + bias

    x = act(layer((images - mean) / std, weights.pop(0), 1))
    for stage in range(len(config.widths)):
        for block in range(config.blocks):
            stride = config.stride if stage and not block else 1
            skip = x[:, :, ::stride, ::stride]
            for place in range(config.layers_per_block):
                x = layer(x, weights.pop(0), stride if place == 0 else 1)
                if place < config.layers_per_block - 1 or config.activation_place == "inside":
                    x = act(x)
            if config.residual:
                whole = torch.zeros_like(x)
                first = (x.shape[1] - skip.shape[1]) // 2
                whole[:, first : first + skip.shape[1]] = skip
                x = x + whole
            x = act(x) if config.activation_place == "after-sum" else x
    assert not weights
    return x.flatten(2).mean(2) @ state["head.weight"].T + state["head.bias"]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forward_equals_the_network_written_out(config):
    network = moved(config, mean=(0.3,), std=(0.5,))
    images = torch.rand(6, *SHAPE, dtype=torch.float64)
    # mean and std are kept in float32, hence 1e-6
    torch.testing.assert_close(
        network(images), by_hand(network.state_dict(), config, images, 0.3, 0.5), rtol=1e-6, atol=1e-6
    )


@settings(max_examples=30)
@given(
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    blocks=st.integers(1, 3),
    size=st.integers(1, 3),
    norm=st.sampled_from(["none", "batch"]),
    stride=st.sampled_from([1, 2]),
    side=st.integers(4, 9),
)
def test_counts_by_formula_are_those_of_the_tensors_and_of_pytorch_s_counter(
    widths, blocks, size, norm, stride, side
):
    config = CNN(widths=tuple(widths), blocks=blocks, layers_per_block=size, norm=norm, stride=stride)
    shape = (2, side, side + 1)
    found = summary(config.build(shape, 3, seed=0), shape)
    assert found.parameters == config.parameter_count(shape, 3)
    assert found.flops == config.flop_count(shape, 3)


@pytest.mark.parametrize(("blocks", "parameters"), [(3, 269_722), (5, 464_154), (9, 853_018)])
def test_residual_nets_of_the_publication_have_its_layers_and_parameters(blocks, parameters):
    """ResNet-20, -32 and -56 for CIFAR-10 with option A: 0.27, 0.46 and 0.85 million (He et al., 2016, table 6)."""
    config = CNN(blocks=blocks, residual=True)
    assert config.parameter_count((3, 32, 32), 10) == parameters
    assert len(config.convolutions((3, 32, 32))) + 1 == 6 * blocks + 2
    assert replace(config, residual=False).parameter_count((3, 32, 32), 10) == parameters


@pytest.mark.parametrize("config", CONFIGS[:1] + CONFIGS[2:4] + CONFIGS[5:], ids=str)
def test_twins_have_the_same_names_and_bits_and_differ_in_the_skip_alone(config):
    a, b = build(replace(config, residual=False), 5), build(replace(config, residual=True), 5)
    assert list(a.state_dict()) == list(b.state_dict())
    assert all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )
    lines = zip(repr(a).splitlines(), repr(b).splitlines(), strict=True)
    assert {(x.strip(), y.strip()) for x, y in lines if x != y} == {("residual=False", "residual=True")}
    images = torch.rand(4, *SHAPE)
    assert not torch.equal(a.eval()(images), b.eval()(images))


@pytest.mark.parametrize("place", ["inside", "after-sum"])
def test_a_residual_block_with_a_zero_last_norm_is_its_shortcut(place):
    block = build(CNN(widths=(3, 6), residual=True, activation_place=place)).blocks[1][0]
    last = [layer for layer in block.branch if isinstance(layer, nn.BatchNorm2d)][-1]
    nn.init.zeros_(last.weight)
    features = torch.rand(2, 3, 7, 7)
    expected = torch.zeros(2, 6, 4, 4)
    expected[:, 1:4] = features[:, :, ::2, ::2]
    assert torch.equal(block(features), expected)
    assert torch.equal(shortcut(features, 1, 0), features)


def test_layers_per_block_changes_where_the_skips_are_and_nothing_else():
    images = torch.rand(3, *SHAPE)
    nets = [
        [
            build(CNN(widths=(3, 6), blocks=blocks, layers_per_block=4 // blocks, residual=residual)).eval()(
                images
            )
            for blocks in (4, 2)
        ]
        for residual in (False, True)
    ]
    assert torch.equal(*nets[0])
    assert not torch.equal(*nets[1])


def test_a_deeper_net_shares_names_and_bits_of_the_shallower_one():
    shallow, deep = (build(CNN(blocks=blocks), 7).state_dict() for blocks in (1, 3))
    assert shallow.keys() < deep.keys()
    assert all(torch.equal(value, deep[name]) for name, value in shallow.items())
    assert any(name.startswith("blocks.2.2.branch") for name in deep)


def test_same_seed_same_bits_other_seed_other_bits_and_no_two_layers_alike():
    a, b, c = (build(CNN(widths=(4, 4), stride=1), seed) for seed in (1, 1, 2))
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    drawn = [value for value in a.parameters() if value.dim() == 4]
    assert not any(
        torch.equal(x, y)
        for x, y in zip(drawn, [value for value in c.parameters() if value.dim() == 4], strict=True)
    )
    assert len({tuple(value.flatten()[:8].tolist()) for value in drawn}) == len(drawn)


def test_building_leaves_the_global_random_state():
    state = torch.get_rng_state()
    build(CNN())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("init", "distribution"),
    [
        ("he", lambda fan_in, _: stats.norm(0, (2 / fan_in) ** 0.5)),
        ("xavier", lambda fan_in, fan_out: uniform((12 / (fan_in + fan_out)) ** 0.5)),
        ("default", lambda fan_in, _: uniform(fan_in**-0.5)),
    ],
)
def test_convolutions_start_from_the_distribution_of_their_fans(init, distribution):
    network = build(CNN(widths=(32, 64), init=init, norm="none"), seed=3)
    for layer in (part for part in network.modules() if isinstance(part, nn.Conv2d)):
        fans = 9 * layer.in_channels, 9 * layer.out_channels
        flat = layer.weight.detach().flatten().numpy()
        assert stats.kstest(flat, distribution(*fans).cdf).pvalue > 1e-4
        assert bool(layer.bias.any()) == (init == "default")


def uniform(bound):
    return stats.uniform(-bound, 2 * bound)


def test_any_module_of_convolutions_is_initialised_by_numbers():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(2, 2))
    initialise(module, 4)
    first = module[1].weight.clone()
    initialise(nn.Sequential(nn.Conv2d(5, 5, 1), module[1], nn.Linear(1, 1)), 4)
    assert torch.equal(module[1].weight, first)
    with pytest.raises(UserError, match=r"streams must name each of the 3 layers .*, got 1 names"):
        initialise(module, 4, streams=["a"])


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_steps_in_plain_pytorch_give_the_bits_of_the_network(config):
    network = moved(config, mean=(0.4, 0.5), std=(0.2, 0.3)).float()
    for count in (1, 33):
        images = torch.rand(count, *SHAPE)
        assert torch.equal(run(steps_of(network), network.state_dict(), images), network(images))


@pytest.mark.parametrize("config", CONFIGS[:3], ids=str)
def test_a_saved_network_comes_back_with_the_same_bits(config, tmp_path):
    network = moved(config, mean=(0.1, 0.5), std=(0.2, 0.3)).float()
    loaded = load(save(network, tmp_path / "model", class_names=("cat", "dog", "cow")))
    assert loaded.config == config
    assert not loaded.training
    images = torch.rand(5, *SHAPE)
    assert torch.equal(loaded(images), network(images))


def test_it_learns_eight_images_by_heart():
    network = build(CNN(widths=(8, 16)), shape=(1, 8, 8))
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(8, 1, 8, 8, generator=generator), torch.arange(8) % 3
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert float(loss.detach()) < 0.05


def test_probes_name_the_layers_of_blocks_in_their_order():
    network = build(CNN(widths=(4, 8), residual=True), shape=(1, 8, 8))
    batch = torch.rand(16, 1, 8, 8), torch.arange(16) % 3
    with probe(network, batch) as log:
        pass
    assert [row.layer for row in log.rows] == [
        "stem.0", "blocks.0.0.branch.0", "blocks.0.0.branch.3", "blocks.1.0.branch.0", "blocks.1.0.branch.3", "head",
    ]  # fmt: skip
    assert all(row.weight_gradient > 0 for row in log.rows)


def test_fit_trains_it_to_better_than_chance():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    images = torch.rand(60, 1, 8, 8, generator=generator) * 0.3
    images[torch.arange(60), 0, labels * 2, :] = 1.0  # a bright row for each class
    data = from_tensors(images, labels)
    network = build(CNN(widths=(4, 8)), shape=(1, 8, 8))
    found = fit(network, data, Recipe(epochs=8, batch_size=16, learning_rate=0.01), seed=0)
    logits = predict_logits(found.model, data.train)
    assert float((logits.argmax(1) == data.train.labels).float().mean()) > 0.8


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CNN(widths=()), r"at least one stage, for example \(16, 32, 64\)"),
        (lambda: CNN(widths=(8, 4), residual=True), r"got widths \(8, 4\); order them from narrow to wide"),
        (lambda: CNN(stride=3), "1 or 2"),
        (lambda: CNN(blocks=0), "at least 1"),
        (lambda: CNN(blocks=10**9), "at most 1000"),
        (lambda: CNN(kernels=5), "kernels"),
        (
            lambda: CNN(widths=(2,) * 5).build((1, 8, 8), 3, seed=0),
            "5 stages with stride 2 would shrink images of 8×8 pixels below one pixel; take at most 4 stages, or stride 1",
        ),
        (lambda: CNN(widths=(2, 2)).build((1, 1, 9), 3, seed=0), "at most 1 stage, or"),
        (lambda: CNN().parameter_count(784, 10), r"input shape \(C, H, W\), such as \(1, 28, 28\), got 784"),
        (lambda: CNN().build((1, 8, 8), 0, seed=0), "at least one class, got 0"),
        (lambda: build(CNN(), mean=(0.1,) * 3, std=(1.0,) * 3), "one per channel, got 3 for 2 channels"),
        (lambda: build(CNN())(torch.rand(2, 1, 8, 8)), r"shape \(N, 2, 8, 8\), got \(2, 1, 8, 8\); resize"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("side", range(1, 18))
def test_the_most_stages_shrink_an_image_to_one_pixel_and_no_further(side):
    stages = max(count for count in range(1, 8) if stages_fit(side, count))
    last = CNN(widths=(2,) * stages).convolutions((1, side, side))[-1]
    assert last.size == (1, 1)


def stages_fit(side, count):
    try:
        CNN(widths=(2,) * count).convolutions((1, side, side))
    except UserError:
        return False
    return True


def test_describe_names_stem_stages_and_head():
    text = "stem 3→16, 6 × 16 at 32×32, 6 × 32 at 16×16, 6 × 64 at 8×8 in blocks of 2 with skips, mean, head 64→10"
    assert CNN(blocks=3, residual=True).describe((3, 32, 32), 10) == text
    assert (
        CNN(widths=(4,), layers_per_block=1).describe((1, 8, 9), 3)
        == "stem 1→4, 1 × 4 at 8×9, mean, head 4→3"
    )
