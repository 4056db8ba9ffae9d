"""Single pictures against Pillow itself; what cannot be read is named."""

import os

import numpy as np
import pytest
from PIL import Image

from gradlab.data.pictures import find_pictures, read_picture
from gradlab.types import UserError


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def saved(path, array, mode=None, **options):
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def test_a_picture_that_fits_is_untouched(tmp_path, pixels):
    colour = read_picture(saved(tmp_path / "a.png", pixels), (3, 6, 4))
    assert np.array_equal(colour.pixels, pixels.transpose(2, 0, 1))
    assert colour.pixels.flags.c_contiguous
    grey = read_picture(saved(tmp_path / "b.png", pixels[..., 0]), (1, 6, 4))
    assert np.array_equal(grey.pixels, pixels[None, ..., 0])
    assert colour.changes == grey.changes == ()


def test_resizing_and_grey_are_those_of_pillow_and_said(tmp_path, pixels):
    path = saved(tmp_path / "a.png", pixels)
    found = read_picture(path, (1, 3, 5))
    expected = Image.open(path).convert("L").resize((5, 3), Image.Resampling.BILINEAR)
    assert np.array_equal(found.pixels[0], np.asarray(expected))
    assert found.changes == ("RGB to grey", "resized from 6×4 to 3×5")


@pytest.mark.parametrize(
    ("mode", "shape", "words"),
    [
        ("L", (3, 6, 4), "grey to RGB"),
        ("RGBA", (3, 6, 4), "RGB with alpha to RGB over white"),
        ("P", (3, 6, 4), "palette to RGB"),
        ("LA", (1, 6, 4), "grey with alpha to grey over white"),
        ("1", (3, 6, 4), "black and white to RGB"),
    ],
)
def test_every_conversion_has_a_word(tmp_path, pixels, mode, shape, words):
    found = read_picture(saved(tmp_path / "a.png", pixels, mode), shape)
    assert found.changes == (words,)
    assert found.pixels.shape == shape
    assert found.pixels.dtype == np.uint8


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    path = saved(tmp_path / "a.png", np.array([[0, 257, 65535]], dtype=np.uint16))
    found = read_picture(path, (1, 1, 3))
    assert found.pixels.tolist() == [[[0, 1, 255]]]
    assert found.changes == ("16-bit grey to grey",)


def test_the_rotation_of_a_camera_is_undone(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", pixels, exif=exif)
    found = read_picture(path, (3, 4, 6))
    assert found.changes == ("turned as the camera says",)
    assert np.array_equal(found.pixels, np.rot90(pixels, -1).transpose(2, 0, 1))


def test_black_strokes_on_nothing_stay_to_be_seen(tmp_path):
    strokes = np.zeros((2, 2, 4), np.uint8)
    strokes[0, 0, 3], strokes[1, 1, 3] = 255, 51  # black, and a fifth of it
    found = read_picture(saved(tmp_path / "a.png", strokes), (1, 2, 2))
    assert found.pixels.tolist() == [[[0, 255], [255, 204]]]
    Image.fromarray(np.array([[7, 9]], np.uint8)).save(tmp_path / "b.png", transparency=9)
    found = read_picture(tmp_path / "b.png", (1, 1, 2))
    assert found.pixels.tolist() == [[[7, 255]]]
    assert found.changes == ("grey to grey over white",)


def test_floats_between_0_and_1_are_scaled_and_others_refused(tmp_path):
    path = tmp_path / "a.tiff"
    found = read_picture(saved(path, np.array([[0, 0.2, 1]], np.float32)), (1, 1, 3))
    assert found.pixels.tolist() == [[[0, 51, 255]]]
    assert found.changes == ("grey in floats to grey",)
    found = read_picture(saved(path, np.array([[0, 3, 255]], np.float32)), (1, 1, 3))
    assert found.pixels.tolist() == [[[0, 3, 255]]]
    for wrong in (-0.5, 300, np.nan):
        with pytest.raises(UserError, match=r"cannot be read \(its numbers lie neither in"):
            read_picture(saved(path, np.array([[0, wrong]], np.float32)), (1, 1, 2))


def test_a_large_picture_is_read_without_a_warning(tmp_path, pixels, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # 24 are in it
    assert read_picture(saved(tmp_path / "a.png", pixels), (3, 6, 4)).changes == ()


def test_the_first_of_several_frames_is_taken(tmp_path):
    first, second = (Image.new("L", (4, 4), value) for value in (10, 200))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    found = read_picture(tmp_path / "a.gif", (1, 4, 4))
    assert found.changes[0] == "first of 2 frames"
    assert set(found.pixels.ravel().tolist()) == {10}


def broken(tmp_path, kind):
    path = tmp_path / "a.png"
    if kind == "text":
        path.write_text("no picture")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        saved(path, np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8))
        path.write_bytes(path.read_bytes()[:900])
    elif kind == "link to nowhere":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "postscript":
        path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    return path


@pytest.mark.parametrize(
    "kind", ["text", "empty", "truncated", "link to nowhere", "loop", "folder", "pipe", "postscript"]
)
def test_what_is_no_picture_is_named(tmp_path, kind):
    path = broken(tmp_path, kind)
    with pytest.raises(UserError, match="cannot be read") as caught:
        read_picture(path, (1, 4, 4))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_numbers_of_channels_are_refused(tmp_path, pixels):
    with pytest.raises(UserError, match="pictures have 1 or 3 channels, not 2"):
        read_picture(saved(tmp_path / "a.png", pixels), (2, 6, 4))


def test_folders_are_searched_in_order_each_file_once(tmp_path, pixels):
    for name in ("b/2.png", "b/1.PNG", "a/x/0.jpg", ".hidden/9.png", "b/.9.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        saved(path, pixels)
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    (tmp_path / "b" / "back").symlink_to(tmp_path)  # is not followed
    found = find_pictures([tmp_path / "b" / "2.png", tmp_path, tmp_path / "b"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["b/2.png", "a/x/0.jpg", "b/1.PNG"]


def test_a_named_file_is_taken_whatever_its_suffix(tmp_path):
    (tmp_path / "scan").write_text("")
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    assert find_pictures([tmp_path / "scan", tmp_path / "dead"]) == [tmp_path / "scan", tmp_path / "dead"]


def test_nothing_to_find_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no pictures \(.*\.png"):
        find_pictures([tmp_path])
    with pytest.raises(UserError, match=r"there is no file or folder .*nowhere; check the path"):
        find_pictures([tmp_path / "nowhere"])
