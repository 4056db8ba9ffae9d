import numpy as np
import pyarrow as pa
import pytest

from gradlab.data import arrays
from gradlab.types import UserError
from tests.data import make


def colours(rng, count):
    return make.images(rng, count, 5, 4, 3)


def rows_of(data):
    """All images of all parts as a set of bytes."""
    return {image.tobytes() for part in data.parts.values() for image in part.images}


def expected_rows(pixels):
    return {np.moveaxis(p, -1, 0).tobytes() for p in pixels}


@pytest.mark.parametrize("image", ["image", "img"])
@pytest.mark.parametrize("struct", [True, False])
def test_one_file_becomes_all_three_parts(tmp_path, rng, image, struct):
    pixels = colours(rng, 50)
    file = make.parquet(tmp_path / "mine.parquet", pixels, np.arange(50) % 5, image=image, struct=struct)
    data = arrays(file)
    assert data.info.name == "mine"
    assert (
        data.info.counts == {"train": 36, "validation": 4, "test": 10} or sum(data.info.counts.values()) == 50
    )
    assert data.info.counts["test"] == 10
    assert data.info.input_shape == (3, 5, 4)
    assert rows_of(data) == expected_rows(pixels)


@pytest.mark.parametrize(
    "layout",
    [
        {"train": "train.parquet", "test": "test.parquet"},
        {"train": "data/train-00000-of-00001.parquet", "test": "data/test-00000-of-00001-0a1b2c.parquet"},
        {"train": "plain_text/train-00000-of-00001.parquet", "test": "plain_text/test.parquet"},
        {"train": "train/0000.parquet", "test": "test/0000.parquet"},
        {"train": "default/train/0000.parquet", "test": "default/test/0000.parquet"},
    ],
)
def test_the_layouts_of_the_hub_are_found(tmp_path, rng, layout):
    for part, name in layout.items():
        make.parquet(tmp_path / "set" / name, colours(rng, 40), np.arange(40) % 4)
        assert part in ("train", "test")
    data = arrays(tmp_path / "set")
    assert data.info.counts == {"train": 36, "validation": 4, "test": 40}


def test_shards_are_joined_in_order(tmp_path, rng):
    pixels = colours(rng, 30)
    for i in range(3):
        one = slice(10 * i, 10 * i + 10)
        make.parquet(tmp_path / "s" / f"test-{i:05d}-of-00003.parquet", pixels[one], np.arange(10) % 2)
    data = arrays(tmp_path / "s")
    assert list(data.parts) == ["test"]
    assert (data.parts["test"].images == np.moveaxis(pixels, -1, 1)).all()


def test_a_validation_part_is_used_as_it_is_whatever_its_file_is_called(tmp_path, rng):
    pixels = colours(rng, 20)
    for name in ("train", "valid", "test"):
        make.parquet(
            tmp_path / "s" / f"{name}.parquet", pixels if name == "valid" else colours(rng, 20), [0, 1] * 10
        )
    data = arrays(tmp_path / "s")
    assert data.info.counts == {"train": 20, "validation": 20, "test": 20}
    assert (data.parts["validation"].images == np.moveaxis(pixels, -1, 1)).all()
    assert data.info.notes == ()


def test_class_names_come_from_the_schema_else_from_texts_else_from_numbers(tmp_path, rng):
    named = make.parquet(tmp_path / "a.parquet", colours(rng, 20), [0, 1] * 10, names=["cat", "dog"])
    texts = make.parquet(tmp_path / "b.parquet", colours(rng, 20), ["dog", "cat"] * 10)
    numbers = make.parquet(tmp_path / "c.parquet", colours(rng, 20), [0, 1] * 10)
    assert arrays(named).info.class_names == ("cat", "dog")
    assert arrays(texts).info.class_names == ("cat", "dog")
    assert arrays(numbers).info.class_names == ("0", "1")
    counts = [np.bincount(part.labels) for part in arrays(texts).parts.values()]
    assert sum(counts).tolist() == [10, 10]


def test_any_column_that_the_schema_calls_image_and_class_label_will_do(tmp_path, rng):
    file = make.parquet(
        tmp_path / "a.parquet", colours(rng, 20), [0, 1] * 10, image="photo", label="kind", names=["x", "y"]
    )
    assert arrays(file).info.class_names == ("x", "y")


def test_cifar100_has_fine_and_coarse_labels(tmp_path, rng):
    fine, coarse = np.arange(200) % 100, np.arange(200) % 20
    for part in ("train", "test"):
        make.parquet(
            tmp_path / "cifar100" / f"{part}.parquet", make.images(rng, 200, 32, 32, 3), fine, image="img",
            label="fine_label", extra={"coarse_label": pa.array(coarse)},
        )  # fmt: skip
    one, other = arrays("cifar100", tmp_path), arrays("cifar100-coarse", tmp_path)
    assert (one.info.num_classes, other.info.num_classes) == (100, 20)
    assert (one.parts["test"].labels == fine).all()
    assert (other.parts["test"].labels == coarse).all()
    assert one.info.checksum != other.info.checksum


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"image": "picture"},
            r"has no column 'image' or 'img' with encoded images and no column 'text' .* only picture, label; rename",
        ),
        ({"label": "genus"}, r"has no column 'label', only image, genus; rename"),
        ({"labels": [1, 2] * 10}, r"whole numbers from 0 to K - 1.*2 different ones from 1 to 2; renumber"),
        (
            {"labels": [0, 3] * 10, "names": ["a", "b"]},
            r"from 0 to 1, one per class, but .* has 0 to 3; renumber",
        ),
        ({"labels": [0.5, 1.0] * 10}, r"must hold whole numbers or texts, not double; convert"),
        ({"labels": [0, None] * 10}, r"has 10 rows without a 'label'; remove or label"),
        ({"labels": [0] * 20}, r"images of one class only \('0'\); a classifier needs at least two"),
        ({"pixels": []}, r"holds no image"),
        ({"pixels": [None] * 20}, r"Row 0 of .* has no image bytes"),
        ({"pixels": [b"junk"] * 20}, r"The image in row 0 of .*a.parquet cannot be read \(not an image\)"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(tmp_path, rng, change, sentence):
    pixels = change.pop("pixels", colours(rng, 20))
    labels = change.pop("labels", [0, 1] * 10)[: len(pixels)]
    file = make.parquet(tmp_path / "a.parquet", pixels, labels, **change)
    with pytest.raises(UserError, match=sentence):
        arrays(file)


def test_images_that_are_no_encoded_bytes_are_refused(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [[1, 2]] * 4, "label": [0, 1] * 2}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"The column 'image' of .* holds list.*, expected encoded images"):
        arrays(tmp_path / "a.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense PAR1", "truncated"])
def test_a_corrupt_file_is_named(tmp_path, rng, content):
    file = make.parquet(tmp_path / "a.parquet", colours(rng, 20), [0, 1] * 10)
    file.write_bytes(file.read_bytes()[:-100] if content == "truncated" else content)
    with pytest.raises(
        UserError, match=r"a\.parquet is no readable Parquet file \(.*\); get it again\."
    ) as raised:
        arrays(file)
    assert "\n" not in str(raised.value)


def test_a_missing_shard_is_named(tmp_path, rng):
    make.parquet(tmp_path / "s" / "train-00000-of-00002.parquet", colours(rng, 4), [0, 1] * 2)
    with pytest.raises(UserError, match=r"holds 1 of the 2 files of train; get the others"):
        arrays(tmp_path / "s")


def test_files_without_a_part_in_their_name_are_refused_unless_there_is_one(tmp_path, rng):
    make.parquet(tmp_path / "s" / "a.parquet", colours(rng, 20), [0, 1] * 10)
    assert arrays(tmp_path / "s").info.counts["test"] == 4
    make.parquet(tmp_path / "s" / "b.parquet", colours(rng, 20), [0, 1] * 10)
    with pytest.raises(UserError, match=r"2 Parquet files of which none is named for a part"):
        arrays(tmp_path / "s")


def test_several_configurations_are_not_guessed_between(tmp_path, rng):
    for name in ("one", "two"):
        make.parquet(tmp_path / "s" / name / "train.parquet", colours(rng, 20), [0, 1] * 10)
    with pytest.raises(UserError, match=r"holds several data sets \(one, two\); name one"):
        arrays(tmp_path / "s")


def test_registered_data_with_other_classes_or_sizes_are_refused(tmp_path, rng):
    make.parquet(
        tmp_path / "mnist" / "train.parquet", make.images(rng, 20, 28, 28), [0, 1] * 10, names=["cat", "dog"]
    )
    with pytest.raises(UserError, match=r"has the classes cat, dog…, expected 0, 1, .*; load it by its path"):
        arrays("mnist", tmp_path)
    make.parquet(tmp_path / "cifar10" / "train.parquet", colours(rng, 20), [0, 1] * 10)
    with pytest.raises(UserError, match=r"20 images of 'cifar10' in .* are not 32×32 pixels"):
        arrays("cifar10", tmp_path)


def test_a_part_that_the_source_lacks_stays_absent_for_registered_data(tmp_path, rng):
    make.parquet(tmp_path / "fashion_mnist" / "test.parquet", make.images(rng, 20, 28, 28), [0, 1] * 10)
    data = arrays("fashion-mnist", tmp_path)
    assert data.info.counts == {"test": 20}
    assert data.info.mean == ()
    assert data.info.class_names[9] == "Ankle boot"


def test_parts_in_different_formats_are_noted(tmp_path, rng):
    jpeg = [make.encode(p, "JPEG") for p in make.images(rng, 20, 28, 28)]
    make.parquet(tmp_path / "mnist" / "train.parquet", jpeg, np.arange(20) % 10)
    make.parquet(tmp_path / "mnist" / "test.parquet", make.images(rng, 20, 28, 28), np.arange(20) % 10)
    assert "different formats (train as JPEG, test as PNG)" in arrays("mnist", tmp_path).info.notes[0]
