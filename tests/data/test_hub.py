import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradlab.data import get, info
from gradlab.types import UserError
from tests.data import make


@pytest.fixture
def hub(monkeypatch, rng):
    """A Hub that gives a small MNIST, and remembers what it was asked."""
    asked = []

    def snapshot_download(repo, *, repo_type, local_dir, allow_patterns, etag_timeout):
        asked.append((repo, repo_type, tuple(allow_patterns), etag_timeout))
        for part in ("train", "test"):
            file = Path(local_dir) / "mnist" / f"{part}-00000-of-00001.parquet"
            make.parquet(file, make.images(rng, 20, 28, 28), [0, 1] * 10)
        (Path(local_dir) / ".cache").mkdir()

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))
    return asked


def test_data_that_are_nowhere_here_come_from_the_hub_once(hub, own_cache):
    assert info("mnist").counts == {"train": 18, "validation": 2, "test": 20}
    assert info("mnist").counts["test"] == 20
    assert hub == [("ylecun/mnist", "dataset", ("*.parquet",), 5.0)]
    assert sorted(p.name for p in (own_cache / "hub").iterdir()) == ["mnist"]


def test_get_returns_the_folder_and_downloads_once(hub, own_cache):
    assert get("mnist") == get("MNIST") == own_cache / "hub" / "mnist"
    assert len(hub) == 1


def test_the_two_label_sets_of_cifar100_share_one_download(monkeypatch):
    asked = []

    def snapshot_download(repo, **_):
        asked.append(repo)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))
    assert get("cifar100") == get("cifar100-coarse")
    assert asked == ["uoft-cs/cifar100"]


def failing(monkeypatch, error):
    def snapshot_download(*_, local_dir, **__):
        (Path(local_dir) / "train.parquet").write_bytes(b"half")
        raise error

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))


class HttpError(Exception):
    """What the client raises is no OSError."""


@pytest.mark.parametrize(
    "error", [OSError("no route\nto host"), ValueError("bad repo"), HttpError("timed out")]
)
def test_a_failed_download_is_one_sentence_and_leaves_nothing_that_looks_whole(monkeypatch, own_cache, error):
    failing(monkeypatch, error)
    monkeypatch.setitem(sys.modules, "httpx", SimpleNamespace(HTTPError=HttpError))
    with pytest.raises(UserError) as raised:
        info("mnist")
    assert str(raised.value) == (
        f"Data 'mnist' was not found here, and the Hub did not provide it ({str(error).splitlines()[0]}); put its Parquet files "
        "into a folder 'mnist' under --data-dir or GRADLAB_DATA, or, with a network, run: "
        "pip install 'gradlab[hub]' && gradlab data get mnist."
    )
    assert not (own_cache / "hub" / "mnist").exists()


def test_without_the_extra_the_sentence_names_folder_and_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # makes its import fail
    with pytest.raises(
        UserError, match=r"Data 'cifar10' is not on this machine; put its Parquet files into a folder"
    ) as e:
        info("cifar10")
    assert "gradlab data get cifar10" in str(e.value)
    assert "\n" not in str(e.value)


def test_another_process_that_was_faster_is_no_failure(monkeypatch, own_cache):
    def snapshot_download(*_, local_dir, **__):
        target = Path(local_dir).with_name("mnist")
        target.mkdir()
        (target / "x").write_text("")

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))
    assert get("mnist") == own_cache / "hub" / "mnist"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits", r"'digits' needs no download"),
        ("mnits", r"No data set is called 'mnits'; did you mean 'mnist'\?"),
    ],
)
def test_get_says_what_it_cannot_get(name, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name)
