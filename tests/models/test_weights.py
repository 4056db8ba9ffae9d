"""Weights from files: what fits is loaded to the bit, what does not is named key by key, published nets classify as published."""

import math
import pickle
from functools import cache

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from gradlab.data import gather, load
from gradlab.models import CNN, MLP, build, load_weights, save, wrap
from gradlab.types import UserError

ACCURACIES = {
    "resnet20": ("cifar10_resnet20", "cifar10", "91.73"),
    "resnet32": ("cifar10_resnet32", "cifar10", "92.63"),
    "cnn-a": ("cifar10_cnn_a_adv", "cifar10", "69.75"),
    "oval": ("cifar10_oval_base", "cifar10", "58.53"),
    "resnet-b": ("cifar10_resnet2b_adv", "cifar10", "69.25"),
    "cnn-a-mnist": ("mnist_cnn_a_adv", "mnist", "96.33"),
}
"""Network -> file of its weights, data, and the accuracy in percent that stands beside the weights, on 10,000 test images."""


@pytest.fixture(scope="session")
def weights_dir(data_dir):
    folder = data_dir / "weights"
    if not folder.is_dir():
        pytest.skip("needs the published weights in the folder 'weights' of GRADLAB_DATA")
    return folder


@pytest.fixture(scope="session")
def test_part(data_dir, tmp_path_factory):
    """Loads the test images alone, so that no training images are decoded."""

    @cache
    def part(name):
        folder = tmp_path_factory.mktemp("data") / name
        folder.mkdir()
        (folder / "test.parquet").symlink_to(data_dir / name / "test.parquet")
        return load(name, folder.parent, cache_dir=folder.parent / "cache").test

    return part


def accuracy(network, split):
    network.eval()
    hits = 0
    with torch.no_grad():
        for rows in torch.arange(len(split)).split(500):
            hits += int((network(gather(split, rows)).argmax(1) == split.labels[rows]).sum())
    return hits / len(split)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name.endswith("mnist") else [pytest.mark.slow]) for name in ACCURACIES],
)
def test_published_weights_classify_as_their_publication_says(name, weights_dir, test_part):
    file, data, percent = ACCURACIES[name]
    network = load_weights(build(name), weights_dir / f"{file}.safetensors")
    assert f"{100 * accuracy(network, test_part(data)):.2f}" == percent


@pytest.mark.parametrize("name", ACCURACIES)
def test_every_number_of_the_published_files_is_in_the_network(name, weights_dir):
    file = weights_dir / f"{ACCURACIES[name][0]}.safetensors"
    state = load_weights(build(name, seed=5), file).state_dict()
    assert all(torch.equal(value, state[key]) for key, value in load_file(file).items())


def filled(network):
    """Weights for a network, other than its own."""
    generator = torch.Generator().manual_seed(7)
    return {
        key: torch.rand(value.shape, generator=generator) if value.is_floating_point() else torch.tensor(3)
        for key, value in network.state_dict().items()
        if not key.startswith("normalise.")
    }


@pytest.fixture
def written(tmp_path):
    def write(weights, name="weights.safetensors"):
        save_file({key: value.contiguous() for key, value in weights.items()}, tmp_path / name)
        return tmp_path / name

    return write


def test_counters_may_be_absent_and_the_normalisation_stays(written):
    network = build("resnet20")
    weights = {
        key: value for key, value in filled(network).items() if not key.endswith("num_batches_tracked")
    }
    scale = network.normalise.scale.clone()
    assert load_weights(network, written(weights)) is network
    state = network.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in weights.items())
    assert torch.equal(network.normalise.scale, scale)
    assert int(network.bn1.num_batches_tracked) == 0


def test_weights_that_hold_a_normalisation_bring_it(tmp_path):
    first = CNN(widths=(4,)).build((3, 8, 8), 5, seed=1, mean=(0.2,), std=(0.5,))
    folder = save(first, tmp_path / "model")
    second = load_weights(CNN(widths=(4,)).build((3, 8, 8), 5, seed=2), folder / "model.safetensors")
    images = torch.rand(3, 3, 8, 8)
    assert torch.equal(first.eval()(images), second.eval()(images))


def test_half_precision_becomes_the_network_s_own_type(written):
    network = MLP(width=3).build((1, 2, 2), 2, seed=0)
    weights = {key: value.half() for key, value in filled(network).items()}
    load_weights(network, written(weights))
    assert network.head.weight.dtype == torch.float32
    assert torch.equal(network.head.weight, weights["head.weight"].float())


def test_a_module_of_one_s_own_and_a_wrapped_one_are_filled(written):
    weights = {"1.weight": torch.rand(3, 4), "1.bias": torch.rand(3)}
    path = written(weights)
    own = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    wrapped = wrap(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), mean=(0.5,), std=(0.5,))
    images = torch.rand(2, 1, 2, 2)
    expected = (images.flatten(1) - 0.5) / 0.5 @ weights["1.weight"].T + weights["1.bias"]
    torch.testing.assert_close(load_weights(wrapped, path)(images), expected)
    assert torch.equal(load_weights(own, path)[1].weight, weights["1.weight"])


def test_another_architecture_is_named_with_every_key_and_nothing_is_loaded(written):
    network = build("resnet20", seed=1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    weights = filled(build("resnet32"))
    del weights["bn1.bias"]
    with pytest.raises(
        UserError, match=r"holds weights of another network: it lacks 'bn1.bias', it holds"
    ) as caught:
        load_weights(network, written(weights))
    message = str(caught.value)
    unknown = weights.keys() - before.keys()
    assert (
        len(unknown) == 3 * 2 * 2 * 6
    )  # three stages, two more blocks, two convolutions, each with five of its norm
    assert all(f"'{key}'" in message for key in unknown)
    assert message.endswith("; build the network that they belong to, or get its own weights.")
    assert "\n" not in message
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("network", "other", "words"),
    [
        (
            lambda: build("resnet20"),
            lambda: build("resnet20", classes=100),
            r"holds weights for 100 classes, and this network has 10: 'linear.weight' is \(100, 64\) and should be "
            r"\(10, 64\), 'linear.bias' is \(100,\) and should be \(10,\); build it for 100 classes\.",
        ),
        (
            lambda: build("resnet18"),
            lambda: build("resnet18", input_shape=(1, 32, 32)),
            r"belongs to images with another number of channels, 1 where this network reads 3: 'conv1.weight' is "
            r"\(64, 1, 3, 3\) and should be \(64, 3, 3, 3\); build the network for those images\.",
        ),
        (
            lambda: build("cnn-a"),
            lambda: build("cnn-a", input_shape=(3, 28, 28)),
            r"belongs to images of another size: '5.weight' is \(100, 1568\) and should be \(100, 2048\); build",
        ),
        (
            lambda: MLP(width=3).build((1, 4, 4), 2, seed=0),
            lambda: MLP(width=3).build((1, 8, 8), 2, seed=0),
            r"belongs to images of another size: 'stem.0.weight' is \(3, 64\) and should be \(3, 16\)",
        ),
        (
            lambda: build("cnn-a"),
            lambda: build("oval"),
            r"holds weights of another network: '0.weight' is \(8, 3, 4, 4\) and should be \(16, 3, 4, 4\), .*'5.weight'",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(network, other, words, written):
    with pytest.raises(UserError, match=words):
        load_weights(network(), written(dict(sorted(filled(other()).items(), reverse=True))))


def test_whole_numbers_are_no_weights(written):
    network = MLP(width=3).build((1, 2, 2), 2, seed=0)
    weights = filled(network) | {"head.bias": torch.ones(2, dtype=torch.int8)}
    with pytest.raises(UserError, match=r"'head.bias' is torch.int8 and should be torch.float32"):
        load_weights(network, written(weights))


def test_other_files_are_refused_with_what_to_do(tmp_path):
    network = MLP(width=3).build((1, 2, 2), 2, seed=0)
    torch.save(network.state_dict(), tmp_path / "a.pt")
    (tmp_path / "b.pkl").write_bytes(pickle.dumps({"head.bias": [math.pi]}))
    for name in ("a.pt", "b.pkl"):
        with pytest.raises(
            UserError, match=rf"{name} is a pickle file, which can run code .*; convert it once with"
        ):
            load_weights(network, tmp_path / name)
    (tmp_path / "c.safetensors").write_bytes(b"nonsense" * 9)
    for name, words in {
        "c.safetensors": "is damaged or no safetensors file; get it again",
        "d.safetensors": r"cannot be read \(No such file or directory\); give the path of a .safetensors file",
        ".": r"cannot be read \(Is a directory\)",
    }.items():
        with pytest.raises(UserError, match=words):
            load_weights(network, tmp_path / name)
    with pytest.raises(UserError, match=r"fills a torch\.nn\.Module, got MLP; build the network first"):
        load_weights(MLP(), tmp_path / "c.safetensors")
