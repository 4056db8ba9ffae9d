"""What the CNN builder makes beside ResNets: pooling, other kernels, no stem, projections, hidden layers, other names."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from gradlab.models import CNN, load, save, summary
from gradlab.models.steps import steps_of
from gradlab.types import UserError
from tests.models.test_steps import run

IMAGES = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def copied(ours, reference):
    """Give a network of plain PyTorch our numbers, layer by layer in their order."""
    mine = [value for name, value in ours.state_dict().items() if not name.startswith("normalise")]
    theirs = reference.state_dict()
    assert len(mine) == len(theirs)
    reference.load_state_dict(dict(zip(theirs, mine, strict=True)))
    return reference.eval()


def conv_norm_relu(fan_in, fan_out):
    return [nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False), nn.BatchNorm2d(fan_out), nn.ReLU()]


REFERENCES = {
    "LeNet": (
        CNN(widths=(6, 16), stem=0, layers_per_block=1, stride=1, kernel=5, padding="none", norm="none",
            pool="max", end="flatten", hidden=(120, 84)),
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        ),
    ),
    "three stages with norm and pooling": (
        CNN(widths=(4, 6, 8), stem=0, stride=1, pool="max", end="flatten", hidden=(7,), dropout=0.5),
        lambda: nn.Sequential(
            *conv_norm_relu(3, 4), *conv_norm_relu(4, 4), nn.MaxPool2d(2), *conv_norm_relu(4, 6), *conv_norm_relu(6, 6),
            nn.MaxPool2d(2), *conv_norm_relu(6, 8), *conv_norm_relu(8, 8), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(128, 7), nn.ReLU(), nn.Dropout(0.5), nn.Linear(7, 10),
        ),
    ),
    "pooling after the second stage alone": (
        CNN(widths=(4, 6, 8), stem=0, layers_per_block=1, stride=1, norm="none", pool="mean", pool_after=(2,)),
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10),
        ),
    ),
    "strides and an even kernel": (
        CNN(widths=(4, 8), layers_per_block=1, strides=(2, 2), stem=0, kernel=4, norm="none", end="flatten",
            names="numbers"),
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10)
        ),
    ),
    "a wide stem with pooling": (
        CNN(widths=(6,), stem=4, stem_kernel=7, stem_stride=2, stem_pool=True, layers_per_block=1, strides=(2,)),
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(6, 10),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_forward_and_gradients_are_those_of_the_layers_written_out(name):
    config, reference = REFERENCES[name]
    ours = config.build((3, 32, 32), 10, seed=0).eval()
    theirs = copied(ours, reference())
    torch.testing.assert_close(ours(IMAGES), theirs(IMAGES), rtol=1e-5, atol=1e-5)
    labels = torch.arange(5)
    for network in (ours, theirs):
        functional.cross_entropy(network(IMAGES), labels).backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", REFERENCES)
def test_counts_are_those_of_the_layers_written_out(name):
    config, reference = REFERENCES[name]
    ours = summary(config.build((3, 32, 32), 10, seed=0), (3, 32, 32))
    theirs = summary(reference(), (3, 32, 32))
    assert (ours.parameters, ours.flops) == (theirs.parameters, theirs.flops)
    assert config.parameter_count((3, 32, 32), 10) == theirs.parameters
    assert config.flop_count((3, 32, 32), 10) == theirs.flops


@settings(max_examples=25)
@given(
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    blocks=st.integers(1, 2),
    stem=st.sampled_from([None, 0, 1]),
    kernel=st.sampled_from([1, 2, 3, 4, 5]),
    padding=st.sampled_from(["same", "none"]),
    pool=st.sampled_from(["none", "max", "mean"]),
    end=st.sampled_from(["mean", "flatten"]),
    hidden=st.lists(st.integers(1, 4), max_size=2),
    names=st.sampled_from(["stages", "torchvision", "cifar-resnet", "numbers"]),
)
def test_any_plain_net_has_the_counts_of_its_formula_whatever_its_names(
    widths, blocks, stem, kernel, padding, pool, end, hidden, names
):
    config = CNN(
        widths=tuple(widths), blocks=blocks, stem=stem, kernel=kernel, padding=padding, pool=pool, end=end, norm="none",
        hidden=tuple(hidden) or None, names=names,
    )  # fmt: skip
    shape = (2, 14, 15)
    try:
        plan = config.plan(shape)
    except UserError as error:
        assert "fewer stages" in str(error)  # noqa: PT017
        return
    network = config.build(shape, 3, seed=0)
    found = summary(network, shape)
    assert (found.parameters, found.flops) == (config.parameter_count(shape, 3), config.flop_count(shape, 3))
    sizes = [tuple(m.weight.shape[:2]) for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert sizes == [(one.fan_out, one.fan_in) for one in plan.convolutions()]
    other = replace(config, names="stages").build(shape, 3, seed=0)
    images = torch.rand(2, *shape)
    assert torch.equal(network(images), other(images))  # names change no initial value


RESIDUAL = [
    CNN(widths=(3, 5), residual=True, shortcut="projection", stride=2),
    CNN(widths=(5, 3), stage_blocks=(1, 2), residual=True, shortcut="projection", norm="none", names="torchvision"),
    CNN(widths=(4, 6), blocks=2, residual=True, shortcut="equal", norm="none", stride=1),
    CNN(widths=(4,), stem=2, strides=(2,), residual=True, shortcut="projection", end="flatten", hidden=(6,),
        names="cifar-resnet"),
    CNN(widths=(4, 8), residual=True, pool="max", stride=1, hidden=(5, 4), dropout=0.3),
]  # fmt: skip


def block_by_hand(block, path, skip, features):
    """One block in eval mode: two convolutions with their norms, the skip, the sum."""
    first, second = path
    x = second(functional.relu(first(features)))
    if skip == "projection":
        return functional.relu(x + block.get_submodule(block.projection_name)(features))
    return functional.relu(x + features if skip == "identity" else x)


def test_a_projection_is_a_convolution_of_single_places_with_norm():
    block = RESIDUAL[0].build((3, 8, 8), 3, seed=0).eval().blocks[1][0]
    layer, norm = block.projection
    assert (layer.kernel_size, layer.stride, layer.bias) == ((1, 1), (2, 2), None)
    branch = block.branch
    found = block_by_hand(
        block, (nn.Sequential(*branch[:2]), nn.Sequential(*branch[3:])), "projection", torch.rand(2, 3, 8, 8)
    )
    assert isinstance(norm, nn.BatchNorm2d)
    assert found.shape == (2, 5, 4, 4)
    features = torch.rand(2, 3, 8, 8)
    expected = block_by_hand(
        block, (nn.Sequential(*branch[:2]), nn.Sequential(*branch[3:])), "projection", features
    )
    torch.testing.assert_close(block(features), expected)


def test_only_blocks_that_keep_the_shape_have_a_skip_where_that_is_asked_for():
    stages = RESIDUAL[2].build((3, 8, 8), 3, seed=0).blocks
    assert [[block.residual for block in stage] for stage in stages] == [[True, True], [False, True]]
    features = torch.rand(2, 4, 8, 8)
    path = (stages[1][0].branch[0], stages[1][0].branch[2])
    torch.testing.assert_close(stages[1][0](features), block_by_hand(stages[1][0], path, "none", features))
    path = (stages[0][1].branch[0], stages[0][1].branch[2])
    torch.testing.assert_close(
        stages[0][1](features), block_by_hand(stages[0][1], path, "identity", features)
    )


@pytest.mark.parametrize("config", RESIDUAL, ids=str)
def test_a_plain_twin_shares_every_number_and_lacks_the_projections_alone(config):
    residual = config.build((3, 8, 8), 3, seed=4).state_dict()
    plain = replace(config, residual=False).build((3, 8, 8), 3, seed=4).state_dict()
    assert all(torch.equal(value, residual[name]) for name, value in plain.items())
    extra = residual.keys() - plain.keys()
    assert bool(extra) == (config.shortcut == "projection")
    assert all({"projection", "shortcut", "downsample"} & set(name.split(".")) for name in extra)
    more = config.parameter_count((3, 8, 8), 3) - replace(config, residual=False).parameter_count(
        (3, 8, 8), 3
    )
    assert (more > 0) == ("projections" in config.describe((3, 8, 8), 3)) == bool(extra)


@pytest.mark.parametrize("config", [*RESIDUAL, *(config for config, _ in REFERENCES.values())], ids=str)
def test_steps_and_model_folders_give_the_same_bits(config, tmp_path):
    network = config.build((3, 32, 32), 10, seed=2, mean=(0.4,), std=(0.3,))
    network(torch.rand(8, 3, 32, 32))  # moves the running statistics
    network.eval()
    assert torch.equal(run(steps_of(network), network.state_dict(), IMAGES), network(IMAGES))
    loaded = load(save(network, tmp_path / "model"))
    assert loaded.config == config
    assert torch.equal(loaded(IMAGES), network(IMAGES))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CNN(stage_blocks=(1, 2)), r"stage_blocks needs one number for each of the 3 stages, got \(1, 2\)"),
        (lambda: CNN(strides=(2,)), "strides needs one number for each of the 3 stages"),
        (lambda: CNN(pool="max", pool_after=(4,)), r"counts the 3 stages from 1, got \(4,\)"),
        (lambda: CNN(widths=(8,), stem=16, residual=True), "from narrow to wide, or take the shortcut projection"),
        (lambda: CNN(kernel=4, residual=True), "take an odd kernel and the padding same"),
        (lambda: CNN(padding="none", residual=True), "got kernel 3 and padding none"),
        (lambda: CNN(names="numbers"), "only in plain nets without norms"),
        (
            lambda: CNN(widths=(2, 2), stride=1, pool="max").build((1, 3, 8), 2, seed=0),
            "only 1×4 pixels are; give larger images or fewer stages",
        ),
        (
            lambda: CNN(widths=(2, 2), stride=1, kernel=5, padding="none").build((1, 8, 8), 2, seed=0),
            "a 5×5 convolution finds only 2×2 pixels left",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_net_for_one_size_refuses_another_size_and_other_channels():
    network = REFERENCES["LeNet"][0].build((3, 32, 32), 10, seed=0)
    for shape in ((2, 3, 28, 28), (2, 1, 32, 32)):
        with pytest.raises(
            UserError, match=r"reads images of shape \(N, 3, 32, 32\), got .*; resize the images or build"
        ):
            network(torch.rand(shape))
