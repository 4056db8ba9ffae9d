import numpy as np
import pytest
from PIL import Image

from gradlab.data import _decode
from gradlab.data._decode import decode, look
from gradlab.types import UserError
from tests.data import make


def run(encoded, size, *, grey):
    names = [f"number {i}" for i in range(len(encoded))]
    return decode(encoded.__getitem__, names, size, grey=grey)


@pytest.mark.parametrize("channels", [None, 3])
@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_images_come_back_bit_equal(rng, channels, form):
    pixels = make.images(rng, 5, 7, 4, channels)
    found = run([make.encode(p, form) for p in pixels], (4, 7), grey=channels is None)
    assert (found.images == pixels).all()
    assert (found.format, found.resized) == (form, 0)


def test_more_images_than_one_block_stay_in_order(rng):
    pixels = make.images(rng, 2500, 2, 2)
    assert (run([make.encode(p) for p in pixels], (2, 2), grey=True).images == pixels).all()


def test_large_images_are_decoded_by_several_threads_in_order(rng):
    pixels = make.images(rng, 1200, 130, 130)[:, ::1]
    smooth = np.repeat(pixels[:, :1], 130, axis=1)  # compresses well, so that the test is quick
    encoded = [make.encode(p, compress_level=1) for p in smooth]
    assert (run(encoded, (130, 130), grey=True).images == smooth).all()


def test_grey_becomes_three_equal_channels(rng):
    pixels = make.images(rng, 1, 3, 3)
    found = run([make.encode(pixels[0])], (3, 3), grey=False).images
    assert (found == pixels[..., None]).all()


def test_a_palette_is_looked_up_and_what_is_opaque_stays(rng):
    colours = make.images(rng, 1, 4, 4, 3)[0]
    palette = Image.fromarray(colours).quantize(16)
    for image in (palette, Image.fromarray(colours).convert("RGBA")):
        encoded = make.encode(np.asarray(image)) if image.mode == "RGBA" else _png(image)
        assert (run([encoded], (4, 4), grey=False).images[0] == np.asarray(image.convert("RGB"))).all()


def test_what_is_transparent_shows_white_and_floats_are_scaled(rng):
    colours = make.images(rng, 1, 4, 4, 4)[0]
    alpha = colours[..., 3:] / 255
    expected = colours[..., :3] * alpha + 255 * (1 - alpha)
    found = run([make.encode(colours)], (4, 4), grey=False).images[0]
    assert np.abs(found - expected).max() <= 1  # Pillow rounds on its own
    floats = make.encode(np.array([[0, 0.2, 1]], np.float32), "TIFF")
    assert run([floats], (3, 1), grey=True).images.tolist() == [[[0, 51, 255]]]


def test_large_images_are_read_without_a_warning(rng, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    encoded = [make.encode(p) for p in make.images(rng, 1, 5, 5)]
    assert look(encoded.__getitem__, ["a"]).sizes == {(5, 5): 1}
    assert run(encoded, (5, 5), grey=True).resized == 0


def _png(image):
    import io

    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    deep = np.array([[0, 257, 32_896, 65_535]], dtype=np.uint16)
    assert run([make.encode(deep)], (4, 1), grey=True).images.tolist() == [[[0, 1, 128, 255]]]


def test_a_camera_rotation_is_applied(rng):
    pixels = make.images(rng, 1, 2, 5, 3)[0]
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    encoded = make.encode(pixels, exif=exif)
    seen = look([encoded].__getitem__, ["one"])
    assert seen.sizes == {(2, 5): 1}
    assert (run([encoded], (2, 5), grey=False).images[0] == np.rot90(pixels, -1)).all()


def test_other_sizes_are_resized_and_counted(rng):
    pixels = [np.full((8, 8), 90, np.uint8), make.images(rng, 1, 4, 4)[0]]
    found = run([make.encode(p) for p in pixels], (4, 4), grey=True)
    assert found.resized == 1
    assert (found.images[0] == 90).all()
    assert (found.images[1] == pixels[1]).all()


def test_a_look_counts_sizes_and_sees_colour(rng):
    grey = [make.encode(p) for p in make.images(rng, 2, 4, 6)]
    colour = make.encode(make.images(rng, 1, 3, 3, 3)[0])
    assert look(grey.__getitem__, ["a", "b"]) == _decode.Look({(6, 4): 2}, grey=True)
    assert look([*grey, colour].__getitem__, ["a", "b", "c"]).grey is False


@pytest.mark.parametrize("broken", [b"", b"nonsense", "truncated", "flipped"])
def test_a_broken_image_is_named(rng, broken):
    good = [make.encode(p) for p in make.images(rng, 3, 20, 20)]
    if broken == "truncated":
        broken = good[1][:200]
    elif broken == "flipped":
        broken = good[1][:60] + b"\xff" * 200 + good[1][260:]
    with pytest.raises(UserError, match=r"The image number 1 cannot be read \(.+\); replace or remove it\."):
        run([good[0], broken, good[2]], (20, 20), grey=True)


def test_more_than_memory_holds_is_refused_before_decoding():
    with pytest.raises(UserError, match=r"would take 27 GiB decoded; pass a smaller size"):
        decode(lambda _: b"", ["one"] * 1000, (4000, 2400), grey=False)
