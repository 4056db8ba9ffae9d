"""Imagenette, Tiny-ImageNet and textures: which part is test, class names for ids, sizes made while decoding."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gradlab.data import DATASETS, arrays, check, get, info, list_datasets, load
from gradlab.types import UserError
from tests.data import make

NAMES = ["tench", "English springer", "cassette player", "chain saw", "church", "French horn", "garbage truck",
         "gas pump", "golf ball", "parachute"]  # fmt: skip


def photographs(rng, count, size):
    """Smooth pictures, so that JPEG keeps them small."""
    coarse = make.images(rng, count, 4, 4, 3)
    return [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)) for one in coarse]


def by_pillow(pixels, *sizes):
    """What a plain loop over a JPEG file makes: decoded, then brought to each (width, height)."""
    image = Image.open(io.BytesIO(make.encode(pixels, "JPEG"))).convert("RGB")
    for size in sizes:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image).transpose(2, 0, 1)


@pytest.fixture
def store(tmp_path, rng):
    """A data directory with a small `imagenette`: 40 train and 20 validation photographs."""
    for part, count in (("train", 40), ("validation", 20)):
        pictures = [make.encode(one, "JPEG") for one in photographs(rng, count, (224, 224))]
        make.parquet(tmp_path / "store" / "imagenette" / f"{part}.parquet", pictures, np.arange(count) % 10)
    return tmp_path / "store"


def test_the_published_validation_part_is_test_and_another_is_taken_from_train(store):
    facts = info("imagenette", store)
    assert facts.counts == {"train": 30, "validation": 10, "test": 20}  # one of each class at least
    assert (facts.input_shape, list(facts.class_names)) == ((3, 224, 224), NAMES)
    assert load("imagenette", store).test.role == "test"
    own = info(store / "imagenette")  # by its path it is one's own data, with the parts as they lie there
    assert own.counts == {"train": 30, "validation": 20, "test": 10}


@pytest.mark.slow
def test_a_smaller_size_is_that_of_a_plain_loop_and_of_the_whole_set_resampled(store):
    pictures = photographs(np.random.default_rng(0), 40, (224, 224))
    small = arrays("imagenette@64", store)
    whole = arrays("imagenette", store)
    expected = {by_pillow(one, (64, 64)).tobytes() for one in pictures}
    found = [image.tobytes() for role in ("train", "validation") for image in small.parts[role].images]
    assert set(found) == expected
    for role, part in whole.parts.items():
        again = [
            np.asarray(Image.fromarray(one.transpose(1, 2, 0)).resize((64, 64), Image.Resampling.BILINEAR))
            for one in part.images
        ]
        assert (small.parts[role].images == np.array(again).transpose(0, 3, 1, 2)).all()
        assert (small.parts[role].labels == part.labels).all()


def test_photographs_are_not_kept_at_their_own_size_where_a_smaller_is_asked_for(store, own_cache):
    load("imagenette[tench,2-4]#3@16:grey", store)
    files = [np.load(file, mmap_mode="r").shape for file in own_cache.rglob("*_images.npy")]
    assert sorted(files) == [(4, 1, 16, 16), (8, 1, 16, 16), (12, 1, 16, 16)]


def test_steps_in_any_order_give_one_data_set(store):
    one, other = info("imagenette[church]#2@20x24:grey", store), info("imagenette:grey@20x24#2[4]", store)
    assert one.checksum == other.checksum
    assert one.input_shape == (1, 20, 24)
    assert "resampled from 224×224 to 20×24 pixels" in one.notes[0]


def test_a_size_that_is_already_theirs_changes_nothing(store):
    whole, same = info("imagenette", store), info("imagenette@224", store)
    assert whole.checksum == same.checksum
    assert not same.notes


def test_photographs_of_several_sizes_are_brought_to_one_and_a_note_says_so(tmp_path, rng):
    pictures = [*photographs(rng, 19, (224, 224)), *photographs(rng, 1, (320, 240))]
    encoded = [make.encode(one, "JPEG") for one in pictures]
    make.parquet(tmp_path / "imagenette" / "validation.parquet", encoded, np.arange(20) % 10)
    data = arrays("imagenette", tmp_path)
    assert data.info.notes == (
        "1 of 20 images were resized to 224×224 pixels (bilinear, antialiased; aspect not kept).",
    )
    assert (data.parts["test"].images[19] == by_pillow(pictures[19], (224, 224))).all()
    small = arrays("imagenette@32", tmp_path).parts["test"].images
    assert (small[19] == by_pillow(pictures[19], (224, 224), (32, 32))).all()


def test_files_may_call_the_classes_by_their_wordnet_ids(tmp_path, rng):
    ids = DATASETS["imagenette"].ids
    for part, count in (("train", 3), ("val", 2)):
        for name in ids:
            (tmp_path / "imagenette" / part / name).mkdir(parents=True)
            for number, one in enumerate(photographs(rng, count, (224, 224))):
                (tmp_path / "imagenette" / part / name / f"{number}.JPEG").write_bytes(
                    make.encode(one, "JPEG")
                )
    facts = info("imagenette@16", tmp_path)
    assert (facts.counts["test"], facts.counts["train"] + facts.counts["validation"]) == (20, 30)
    assert list(facts.class_names) == NAMES


def test_data_that_the_hub_lacks_say_which_folder_would_provide_them(tmp_path):
    for action in (lambda: load("textures", tmp_path), lambda: get("textures")):
        with pytest.raises(
            UserError, match=r"Data 'textures' is not on this machine, .* a folder 'dtd_textures' under"
        ):
            action()
    rows = {row.name: row for row in list_datasets(tmp_path)}
    assert rows["textures"].where == "needs a folder 'dtd_textures' in --data-dir"
    assert rows["imagenette"].where == "gradlab data get imagenette"


def test_one_configuration_is_downloaded_where_a_repository_has_several(monkeypatch):
    asked = []

    def snapshot_download(repo, *, allow_patterns, revision, **_):
        asked.append((repo, allow_patterns, revision))

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))
    get("imagenette")
    assert asked == [("frgfm/imagenette", ["320px/*.parquet"], "refs/convert/parquet")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("imagenette[tenchh]", "has no class 'tenchh'; did you mean 'tench'?"),
        ("imagenette[0-10]", "has no class '0-10'"),
        ("imagenette[11]", "has the classes 0 to 9, not 11; name one of them"),
        ("imagenette@0", "@ takes a size in pixels from 1 to 4096, got '0'"),
        ("imagenete", "No data set is called 'imagenete'; did you mean 'imagenette'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_the_nearest(store, name, words):
    with pytest.raises(UserError) as caught:
        load(name, store)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ids_and_names_of_tiny_imagenet_belong_together():
    entry = DATASETS["tiny-imagenet"]
    names = dict(zip(entry.ids, entry.class_names, strict=True))
    assert list(entry.ids) == sorted(entry.ids)  # labels are their rank
    assert (names["n01443537"], names["n04146614"], names["n12267677"]) == ("goldfish", "school bus", "acorn")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts", "shape", "per_class"),
    [
        ("imagenette", {"train": 990, "validation": 110, "test": 550}, (3, 224, 224), 55),
        ("tiny-imagenet", {"test": 2000}, (3, 64, 64), 10),
        ("textures", {"test": 400}, (3, 160, 160), 40),
    ],
)
def test_the_real_ones_have_the_counts_that_stand_beside_them(
    data_dir, tmp_path, name, counts, shape, per_class
):
    data = load(f"{name}@32", data_dir, cache_dir=tmp_path)
    assert info(f"{name}@32", data_dir, cache_dir=tmp_path).counts == counts
    assert np.bincount(data.test.labels.numpy()).tolist() == [per_class] * data.num_classes
    assert DATASETS[name].shape == shape
    assert f"from {shape[1]}×{shape[2]} to 32×32" in " ".join(data.notes)
    assert not any("exact copies" in note for note in data.notes)


@pytest.mark.slow
def test_the_whole_textures_are_what_is_registered(data_dir, tmp_path):
    assert all(row.ok is not False for row in check("textures", data_dir, cache_dir=tmp_path))
