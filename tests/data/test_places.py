from pathlib import Path

import pytest

from gradlab.data import _hub, info
from gradlab.data._places import cache_root
from gradlab.types import UserError
from tests.data import make


@pytest.mark.parametrize("spelling", ["fashion-mnist", "fashion_mnist", "Fashion-MNIST"])
@pytest.mark.parametrize("folder", ["fashion_mnist", "fashion-mnist"])
def test_dash_underscore_and_case_do_not_matter(tmp_path, rng, spelling, folder):
    make.parquet(tmp_path / "d" / folder / "test.parquet", make.images(rng, 4, 28, 28), [0, 1, 0, 1])
    assert info(spelling, tmp_path / "d").name == "fashion-mnist"


def test_the_argument_comes_before_the_variable_and_both_before_the_cache(
    tmp_path, rng, monkeypatch, own_cache
):
    places = {"argument": tmp_path / "a", "variable": tmp_path / "b", "cache": own_cache / "hub"}
    for i, place in enumerate(places.values()):
        make.parquet(place / "mnist" / "test.parquet", make.images(rng, 4 + 2 * i, 28, 28), [0, 1] * (2 + i))
    assert info("mnist").counts == {"test": 8}
    monkeypatch.setenv("GRADLAB_DATA", str(places["variable"]))
    assert info("mnist").counts == {"test": 6}
    assert info("mnist", places["argument"]).counts == {"test": 4}


def test_what_the_data_directory_lacks_is_taken_from_the_cache(tmp_path, rng, own_cache):
    (tmp_path / "d").mkdir()
    make.parquet(own_cache / "hub" / "mnist" / "test.parquet", make.images(rng, 4, 28, 28), [0, 1] * 2)
    assert info("mnist", tmp_path / "d").counts == {"test": 4}


def test_any_folder_of_the_data_directory_can_be_named(tmp_path, rng):
    make.class_folders(tmp_path / "d" / "my_pets", rng, {"a": 10, "b": 10})
    assert info("my-pets", tmp_path / "d").class_names == ("a", "b")


def test_the_data_directory_may_be_the_data_sets_own_folder(tmp_path, rng):
    make.parquet(tmp_path / "mnist" / "test.parquet", make.images(rng, 4, 28, 28), [0, 1] * 2)
    assert info("mnist", tmp_path / "mnist").counts == {"test": 4}


def test_a_folder_here_can_be_named_without_a_slash_but_does_not_hide_a_registered_name(
    tmp_path, rng, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    make.class_folders(tmp_path / "pets", rng, {"a": 10, "b": 10})
    make.class_folders(tmp_path / "digits", rng, {"a": 10, "b": 10})
    assert info("pets").num_classes == 2
    assert info("digits").num_classes == 10
    assert info("./digits").num_classes == 2


@pytest.mark.parametrize("name", ["digits", "noise"])
def test_embedded_data_need_no_folder(name):
    assert info(name, "/nowhere/at/all").name == name


def test_a_missing_data_directory_is_named(monkeypatch):
    with pytest.raises(
        UserError, match=r"data_dir must name an existing folder, got /nowhere; create it or name"
    ):
        info("mnist", "/nowhere")
    monkeypatch.setenv("GRADLAB_DATA", "/nowhere")
    with pytest.raises(UserError, match=r"GRADLAB_DATA must name an existing folder, got /nowhere"):
        info("mnist")


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(
        UserError, match=r"No data set is called 'mnits'; did you mean 'mnist', or pass the path"
    ):
        info("mnits")


@pytest.mark.parametrize("path", ["./nowhere", "/nowhere/x", "x.parquet", Path("nowhere")])
def test_a_missing_path_is_named(path):
    with pytest.raises(UserError, match=r"There is no folder or Parquet file .*(nowhere|x\.parquet)"):
        info(path)


def test_another_kind_of_file_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("1,2")
    with pytest.raises(UserError, match=r"a\.txt is no Parquet file; pass a \.parquet file or a folder"):
        info(tmp_path / "a.txt")


def test_a_fixed_size_is_not_changed(mnist_like):
    with pytest.raises(UserError, match=r"size is for images of one's own, 'mnist' has a fixed one"):
        info("mnist", mnist_like, size=(8, 8))


def test_the_cache_folder_follows_argument_variable_and_platform(monkeypatch, tmp_path):
    assert cache_root(tmp_path) == tmp_path
    monkeypatch.setenv("GRADLAB_CACHE", "/somewhere")
    assert cache_root() == Path("/somewhere")
    monkeypatch.delenv("GRADLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_root() == Path("/xdg/gradlab")
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(Path, "home", lambda: Path("/Users/me"))
    assert cache_root() == Path("/Users/me/Library/Caches/gradlab")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert cache_root() == Path("/local/gradlab")


def test_without_a_home_there_is_no_cache_and_all_works(monkeypatch, mnist_like):
    monkeypatch.delenv("GRADLAB_CACHE")

    def nobody():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nobody)
    assert cache_root() is None
    assert info("mnist", mnist_like).counts["test"] == 20
    with pytest.raises(UserError, match=r"There is no cache folder to hold 'mnist'; set GRADLAB_CACHE"):
        _hub.download("mnist", __import__("gradlab.data", fromlist=["DATASETS"]).DATASETS["mnist"], None)


def test_a_list_of_classes_longer_than_any_file_name_is_no_path(tmp_path, rng):
    named = {f"class-{number:03}": 2 for number in range(60)}
    make.class_folders(tmp_path / "d" / "pets", rng, named)
    kept = tuple(named)[:40]
    spelled = ",".join(kept)
    assert len(spelled) > 255
    assert info(f"pets[{spelled}]", tmp_path / "d").class_names == kept
