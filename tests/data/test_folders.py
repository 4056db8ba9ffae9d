import numpy as np
import pytest
from PIL import Image

from gradlab.data import arrays
from gradlab.types import UserError
from tests.data import make


def test_a_folder_of_class_folders_becomes_a_data_set(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"dog": 20, "cat": 30})
    data = arrays(root)
    assert data.info.name == "pets"
    assert data.info.class_names == ("cat", "dog")
    assert data.info.counts == {"train": 36, "validation": 4, "test": 10}
    for part in data.parts.values():
        for image, label in zip(part.images, part.labels, strict=True):
            folder = root / data.info.class_names[label]
            assert any(
                (np.asarray(Image.open(f)) == np.moveaxis(image, 0, -1)).all() for f in folder.iterdir()
            )


def test_what_was_made_of_it_is_said(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"dog": 20, "cat": 30})
    assert arrays(root).info.notes == (
        "The source has no test part: 10 of 50 training images, stratified by class and fixed, are used as such.",
        "The source has no validation part: 4 of 40 training images, stratified by class and fixed, are used as such.",
    )


@pytest.mark.parametrize("validation", ["validation", "valid", "val"])
def test_folders_named_for_parts_are_those_parts(tmp_path, rng, validation):
    for part, count in (("train", 10), (validation, 3), ("test", 4)):
        make.class_folders(tmp_path / "pets" / part, rng, {"cat": count, "dog": count})
    data = arrays(tmp_path / "pets")
    assert data.info.counts == {"train": 20, "validation": 6, "test": 8}
    assert data.info.notes == ()


def test_all_grey_images_keep_one_channel_and_one_coloured_image_makes_three(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 10, "b": 10}, channels=None)
    assert arrays(root).info.input_shape == (1, 6, 6)
    Image.fromarray(make.images(rng, 1, 6, 6, 3)[0]).save(root / "a" / "colour.png")
    assert arrays(root).info.input_shape == (3, 6, 6)


def test_the_most_common_size_wins_and_the_note_says_so(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 10, "b": 10}, height=8, width=5)
    Image.fromarray(make.images(rng, 1, 20, 30, 3)[0]).save(root / "a" / "large.png")
    found = arrays(root).info
    assert found.input_shape == (3, 8, 5)
    assert (
        found.notes[0]
        == "1 of 21 images were resized to 8×5 pixels (bilinear, antialiased; aspect not kept)."
    )
    assert arrays(root, size=(4, 7)).info.input_shape == (3, 4, 7)


def test_copies_across_parts_are_named_by_their_files_without_the_machines_folders(tmp_path, rng):
    make.class_folders(tmp_path / "g" / "train", rng, {"a": 10, "b": 10})
    make.class_folders(tmp_path / "g" / "test", rng, {"a": 2, "b": 2})
    source = tmp_path / "g" / "train" / "a" / "003.png"
    (tmp_path / "g" / "test" / "a" / "x.png").write_bytes(source.read_bytes())
    (note,) = [n for n in arrays(tmp_path / "g").info.notes if "copies" in n and "test" in n]
    assert "g/test/a/x.png = g/train/a/003.png" in note
    assert str(tmp_path) not in note


def test_hidden_and_foreign_files_are_passed_over(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 10, "b": 10, ".hidden": 3})
    (root / "notes").mkdir()
    (root / "notes" / "readme.txt").write_text("hello")
    (root / "a" / ".DS_Store").write_text("x")
    (root / "a" / "._000.png").write_text("x")
    found = arrays(root).info
    assert found.class_names == ("a", "b")
    assert sum(found.counts.values()) == 20


def test_jpeg_by_any_spelling_is_an_image(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 5, "b": 5}, form="jpg")
    make.class_folders(root, rng, {"a": 5, "b": 5}, form="JPEG")
    assert sum(arrays(root).info.counts.values()) == 20


def test_a_tiny_folder_still_has_every_class_in_every_part(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 4, "b": 4, "c": 4})
    data = arrays(root)
    assert all(set(part.labels) == {0, 1, 2} for part in data.parts.values())


def test_a_broken_image_is_named_with_its_path(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 5, "b": 5})
    (root / "b" / "broken.png").write_bytes((root / "b" / "000.png").read_bytes()[:60])
    with pytest.raises(UserError, match=r"The image .*g/b/broken\.png cannot be read"):
        arrays(root)


def test_one_class_folder_alone_is_refused(tmp_path, rng):
    root = make.class_folders(tmp_path / "g", rng, {"a": 5})
    with pytest.raises(UserError, match=r"g has images of one class only \('a'\)"):
        arrays(root)


def test_a_class_that_only_test_has_is_refused(tmp_path, rng):
    make.class_folders(tmp_path / "g" / "train", rng, {"a": 5, "b": 5})
    make.class_folders(tmp_path / "g" / "test", rng, {"a": 5, "c": 5})
    with pytest.raises(UserError, match=r"test/c has no counterpart among the classes a, b"):
        arrays(tmp_path / "g")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "empty" / "a").mkdir(parents=True)
    with pytest.raises(UserError, match=r"empty holds no images; expected one folder per class"):
        arrays(tmp_path / "empty")


@pytest.mark.parametrize("size", [(0, 4), (4,)])
def test_a_senseless_size_is_refused(tmp_path, rng, size):
    root = make.class_folders(tmp_path / "g", rng, {"a": 5, "b": 5})
    with pytest.raises(UserError, match=r"size must be \(height, width\)"):
        arrays(root, size=size)
