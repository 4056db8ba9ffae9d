"""The vision transformer: PyTorch's own encoder with the same numbers, counts by formula, initial values, folders."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.models import NETS, ViT, load, save, summary
from gradlab.models.steps import steps_of
from tests.models.test_steps import run

CONFIGS = [
    ViT(patch=2, width=12, depth=2, heads=3, expansion=3),
    ViT(patch=4, width=8, depth=1, heads=1, end="class-token", dropout=0.2),
    ViT(patch=8, width=10, depth=3, heads=5, end="class-token"),
]
SHAPE = (3, 8, 16)
IMAGES = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))


def built(config, seed=0):
    network = config.build(SHAPE, 5, seed=seed, mean=(0.4,), std=(0.3,))
    generator = torch.Generator().manual_seed(2)
    for value in network.parameters():  # none at its start value, so that each counts
        value.data += 0.1 * torch.randn(value.shape, generator=generator)
    return network.eval()


def by_pytorch(network, images):
    """The same network with `nn.TransformerEncoderLayer`, patches cut out with `unfold`."""
    config, state = network.config, network.state_dict()
    patches = functional.unfold((images - 0.4) / 0.3, config.patch, stride=config.patch).transpose(1, 2)
    x = patches @ state["tokens.patches.weight"].flatten(1).T + state["tokens.patches.bias"]
    if config.end == "class-token":
        x = torch.cat([state["tokens.class_token"].expand(len(x), 1, -1), x], 1)
    x = x + state["tokens.positions"]
    names = {
        "attention.query_key_value.": "self_attn.in_proj_", "attention.output.": "self_attn.out_proj.",
        "attention_norm.": "norm1.", "mlp_norm.": "norm2.", "mlp.0.": "linear1.", "mlp.2.": "linear2.",
    }  # fmt: skip
    for number in range(config.depth):
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.expansion * config.width, 0.0, "gelu", batch_first=True, norm_first=True
        )  # fmt: skip
        own = {key: value for key, value in state.items() if key.startswith(f"blocks.{number}.")}
        theirs = {}
        for key, value in own.items():
            short = key.removeprefix(f"blocks.{number}.")
            ours = next(one for one in names if short.startswith(one))
            theirs[names[ours] + short.removeprefix(ours)] = value
        layer.load_state_dict(theirs)
        x = layer.eval()(x)
    x = functional.layer_norm(x, (config.width,), state["norm.weight"], state["norm.bias"])
    x = x.mean(1) if config.end == "mean" else x[:, 0]
    return x @ state["head.weight"].T + state["head.bias"]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_logits_are_those_of_pytorch_s_own_encoder(config):
    network = built(config)
    with torch.no_grad():
        torch.testing.assert_close(network(IMAGES), by_pytorch(network, IMAGES), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_counts_by_formula_are_those_of_the_tensors_and_of_pytorch_s_counter(config):
    found = summary(config.build(SHAPE, 5, seed=0), SHAPE)
    assert found.parameters == config.parameter_count(SHAPE, 5)
    assert found.flops == config.flop_count(SHAPE, 5)


def test_attention_weights_are_shares_and_give_the_layer_s_output():
    attention = built(CONFIGS[0]).blocks[0].attention
    tokens = torch.rand(2, 6, 12)
    weights = attention.weights(tokens)
    torch.testing.assert_close(weights.sum(3), torch.ones(2, 3, 6))
    mixed = (weights @ attention.split(tokens)[2]).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention(tokens), attention.output(mixed))


def test_a_deeper_net_shares_names_and_bits_of_the_shallower_one_and_seeds_differ():
    shallow, deep = (ViT(depth=depth, width=8).build(SHAPE, 5, seed=3).state_dict() for depth in (1, 3))
    assert shallow.keys() < deep.keys()
    assert all(torch.equal(value, deep[name]) for name, value in shallow.items())
    other = ViT(depth=1, width=8).build(SHAPE, 5, seed=4).state_dict()
    for name in (
        "tokens.positions",
        "tokens.patches.weight",
        "blocks.0.attention.query_key_value.weight",
        "head.weight",
    ):
        assert not torch.equal(shallow[name], other[name])


def test_building_leaves_the_global_random_state_and_positions_have_their_deviation():
    state = torch.get_rng_state()
    network = NETS["vit-tiny"].config.build((3, 32, 32), 10, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert float(network.tokens.positions.detach().std()) == pytest.approx(0.02, rel=0.05)  # of 8,192 numbers
    assert not network.head.bias.any()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_steps_and_model_folders_give_the_same_bits(config, tmp_path):
    network = built(config)
    for count in (1, 4):
        assert torch.equal(
            run(steps_of(network), network.state_dict(), IMAGES[:count]), network(IMAGES[:count])
        )
    loaded = load(save(network, tmp_path / "model"))
    assert loaded.config == config
    assert torch.equal(loaded(IMAGES), network(IMAGES))


def test_it_learns_eight_images_by_heart():
    network = ViT(patch=4, width=16, depth=2, heads=2).build(SHAPE, 3, seed=0)
    images, labels = torch.rand(8, *SHAPE, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert float(loss.detach()) < 0.05


def test_describe_names_tokens_blocks_and_head():
    text = "64 tokens of 4×4 pixels, 6 blocks of width 128 with 4 heads, mean, head 128→10"
    assert ViT().describe((3, 32, 32), 10) == text


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ViT(width=10), "got width 10 for 4 heads; use a width that is a multiple of 4"),
        (
            lambda: ViT(patch=5).build((3, 32, 32), 10, seed=0),
            "divide images of 32×32; .* nearest size .* NAME@30",
        ),
        (lambda: ViT(patch=8).build((3, 30, 17), 10, seed=0), "NAME@32x16"),
        (lambda: ViT().parameter_count(784, 10), r"input shape \(C, H, W\), such as \(3, 32, 32\), got 784"),
        (lambda: ViT().build((3, 32, 32), 0, seed=0), "at least one class, got 0"),
        (lambda: ViT().build((3, 32, 32), 2, seed=0, mean=(0, 0), std=(1, 1)), "got 2 for 3 channels"),
        (lambda: ViT(width=8).build(SHAPE, 2, seed=0)(torch.rand(1, 3, 8, 8)), r"got \(1, 3, 8, 8\); resize"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(make, words):
    with pytest.raises(ValueError, match=words):
        make()
