"""Networks by name: parameter counts that were published, layer names of other libraries, normalisation."""

import pytest
import torch
from torch import nn

from gradlab.models import CNN, NETS, build
from gradlab.types import UserError

PUBLISHED = {
    "pool-flatten-2": 2.12e6, "pool-flatten-3": 4.29e6, "pool-flatten-4": 2.49e6, "pool-flatten-6": 8.39e6,
    "two-stage-2": 42e3, "two-stage-5": 112e3, "two-stage-7": 158e3,
    "lenet": 62_006, "strided-cnn": 4_764_746,
    "constant-64-2": 150e3, "constant-64-3": 224e3, "constant-64-6": 446e3, "constant-32-4": 75_498,
    "constant-64-5": 372e3, "constant-64-10": 742e3, "constant-64-15": 1.11e6,
    "resnet20": 269_722, "resnet32": 464_154, "resnet44": 658_586, "resnet56": 853_018,
    "resnet18": 11_173_962, "four-stage-2": 11_173_962, "four-stage-3": 21_282_122, "resnet18-imagenet": 11_689_512,
    "cnn-a": 214_918, "cnn-a-mnist": 166_406, "oval": 105_966, "resnet-b": 112_006,
}  # fmt: skip
"""As the labs, the publications and the weights' origins print them, to the digits that they print."""


def rounded(count, published):
    """A count to as many digits as the published one has."""
    digits = len(f"{published:.0f}".rstrip("0"))
    return float(f"{count:.{digits - 1}e}")


@pytest.mark.parametrize("name", NETS)
def test_parameters_are_those_that_were_published(name):
    one = NETS[name]
    found = sum(parameter.numel() for parameter in build(name).parameters())
    assert found == one.config.parameter_count(one.input_shape, one.classes)
    if name in PUBLISHED:
        assert rounded(found, PUBLISHED[name]) == PUBLISHED[name]


def test_at_least_the_nets_of_the_labs_are_here():
    assert len(NETS) >= 30
    assert PUBLISHED.keys() <= NETS.keys()
    assert {"simple-cnn", "three-stage", "vit-tiny", "two-stage-1", "two-stage-4"} <= NETS.keys()


@pytest.mark.parametrize("name", sorted(set(NETS) - {"resnet18-imagenet", "four-stage-3"}))
def test_every_one_reads_its_images(name):
    one = NETS[name]
    logits = build(name).eval()(torch.rand(2, *one.input_shape))
    assert logits.shape == (2, one.classes)


def resnet_keys(stages, blocks, shortcut, last):
    """Keys of a published ResNet, from its description."""
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    keys = ["conv1.weight", *(f"bn1.{part}" for part in parts)]
    for stage in range(1, stages + 1):
        for block in range(blocks):
            where = f"layer{stage}.{block}"
            for number in (1, 2):
                keys += [f"{where}.conv{number}.weight", *(f"{where}.bn{number}.{part}" for part in parts)]
            if shortcut and stage > 1 and block == 0:
                keys += [f"{where}.{shortcut}.0.weight", *(f"{where}.{shortcut}.1.{part}" for part in parts)]
    return {*keys, f"{last}.weight", f"{last}.bias"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("resnet20", resnet_keys(3, 3, None, "linear")),
        ("resnet56", resnet_keys(3, 9, None, "linear")),
        ("resnet18", resnet_keys(4, 2, "downsample", "fc")),
        ("resnet18-imagenet", resnet_keys(4, 2, "downsample", "fc")),
        ("cnn-a", {f"{number}.{part}" for number in (0, 2, 5, 7) for part in ("weight", "bias")}),
        (
            "resnet-b",
            {
                f"{layer}.{part}"
                for layer in (
                    "conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.0.shortcut.0", "layer1.1.conv1",
                    "layer1.1.conv2", "linear1", "linear2",
                )
                for part in ("weight", "bias")
            },
        ),
    ],
)  # fmt: skip
def test_keys_are_those_of_the_published_weights(name, keys):
    state = build(name).state_dict()
    assert {key for key in state if not key.startswith("normalise.")} == keys


def test_resnet18_for_imagenet_has_the_strides_and_sizes_of_its_publication():
    """He et al. (2016), table 1: 112 after the stem, then 56, 28, 14 and 7 pixels."""
    network = build("resnet18-imagenet").eval()
    sizes = {}
    for name in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        layer = network.get_submodule(name)
        layer.register_forward_hook(lambda _, __, out, name=name: sizes.update({name: tuple(out.shape[1:])}))
    with torch.no_grad():
        assert network(torch.rand(1, 3, 224, 224)).shape == (1, 1000)
    assert list(sizes.values()) == [(64, 112, 112), (64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]
    assert isinstance(network.maxpool, nn.MaxPool2d)


def test_names_change_no_initial_value():
    ours, theirs = build("four-stage-2", seed=3), build("resnet18", seed=3)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_normalisation_is_that_of_the_publication_unless_another_is_given():
    scale = 1 / build("resnet20").normalise.scale.flatten()
    assert scale.tolist() == pytest.approx([0.229, 0.224, 0.225])
    other = build("resnet20", mean=(0.5,), std=(0.25,)).normalise
    assert other.scale.tolist() == [[[4.0]]]
    assert build("lenet").normalise.scale.tolist() == [[[1.0]]]


def test_other_shapes_and_classes_can_be_asked_for_and_spelling_is_free():
    network = build("ResNet18_ImageNet", input_shape=(3, 64, 64), classes=7).eval()
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 7)
    assert isinstance(NETS["vit-tiny"].config, type(build("vit_tiny").config))
    assert isinstance(NETS["cnn-a"].config, CNN)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: build("resnet19"), "there is no network 'resnet19'; did you mean 'resnet18'?"),
        (lambda: build("lenett"), "did you mean 'lenet'?"),
        (lambda: build("lenet", input_shape=(3, 8, 8)), "give larger images or fewer stages"),
        (
            lambda: build("resnet20")(torch.rand(1, 1, 32, 32)),
            r"shape \(N, 3, 32, 32\), got \(1, 1, 32, 32\)",
        ),
        (lambda: build("resnet20", mean=(0.5, 0.5), std=(1, 1)), "one per channel, got 2 for 3 channels"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(make, words):
    with pytest.raises(UserError, match=words.replace("?", r"\?")):
        make()
