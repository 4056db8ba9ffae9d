"""Encoded images to one uint8 array: decoded with Pillow, brought to one mode and one size."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from gradlab.data._facts import Images
from gradlab.data._limits import FORMATS, check_decoded, pixels_reason, shown
from gradlab.data._resampling import resampled
from gradlab.types import UserError

_GREY = {"1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "F"}
_COMMON = {b"\x89P": ("PNG",), b"\xff\xd8": ("JPEG",)}
"""First bytes of the common formats: naming one saves a fifth of the time of a small image."""
_THREADS = min(4, os.cpu_count() or 1)
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)

Read = Callable[[int], bytes]
"""Encoded bytes of image i."""


@dataclass(frozen=True)
class Decoded:
    """Images of one part, before it is known what the other parts look like.

    Attributes:
        images: (N, H, W) or (N, H, W, 3) uint8.
        format: of the first file, such as "PNG".
        resized: how many were brought to this size.
    """

    images: Images
    format: str
    resized: int = 0


@dataclass(frozen=True)
class Look:
    """What the headers of some images say: how many have each (width, height), and whether all are grey."""

    sizes: Counter[tuple[int, int]]
    grey: bool


def look(read: Read, names: Sequence[str]) -> Look:
    """Read the headers alone. `names` say where image i comes from, for the sentence about a broken one."""
    sizes: Counter[tuple[int, int]] = Counter()
    grey = True
    with large_ones():
        for i, name in enumerate(names):
            image = _open(read(i), name)
            sizes[_upright_size(image)] += 1
            grey = grey and image.mode in _GREY
    return Look(sizes, grey)


def decode(
    read: Read,
    names: Sequence[str],
    size: tuple[int, int],
    *,
    grey: bool,
    then: tuple[int, int] | None = None,
) -> Decoded:
    """Decode every image to one (width, height) and mode.

    Args:
        read: gives the encoded bytes of image i.
        names: where image i comes from.
        size: (width, height); other sizes are resized bilinearly with antialiasing, aspect not kept.
        grey: one channel instead of RGB.
        then: (width, height) that each is resampled to after that, so that the larger ones are never held at once.
    """
    mode = "L" if grey else "RGB"
    sizes, (width, height) = [size, *([then] if then else [])], then or size
    shape = (len(names), height, width) if grey else (len(names), height, width, 3)
    check_decoded(len(names), 1 if grey else 3, (height, width))
    images = np.empty(shape, dtype=np.uint8)
    rows = images.reshape(len(names), -1)

    def work(block: range) -> int:
        resized = 0
        for i in block:
            pixels, changed = _pixels(read(i), names[i], sizes, mode)
            rows[i] = np.frombuffer(pixels, dtype=np.uint8)
            resized += changed
        return resized

    is_large = size[0] * size[1] >= 5_000
    threads, step = (_THREADS, 50) if is_large else (1, 1000)  # several pay for large images only
    blocks = [range(i, min(i + step, len(names))) for i in range(0, len(names), step)]
    with large_ones(), ThreadPoolExecutor(threads) as pool:
        resized = sum(pool.map(work, blocks))
        form = _open(read(0), names[0]).format or "?"
    return Decoded(images, form, resized)


def _open(encoded: bytes, name: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(encoded), formats=_COMMON.get(encoded[:2], FORMATS))
        check_pixels(image)
        return image
    except _BROKEN as error:
        raise UserError(
            f"The image {shown(name)} cannot be read ({_reason(error)}); replace or remove it."
        ) from error


def check_pixels(image: Image.Image) -> None:
    """Refuse a picture by its header, before it is decoded.

    Raises:
        ValueError: it has more pixels than the limit.
    """
    if reason := pixels_reason(image.size):
        raise ValueError(reason)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Size after the rotation that a camera wrote into the file."""
    turned = "exif" in image.info and image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (image.height, image.width) if turned else image.size


def _pixels(encoded: bytes, name: str, sizes: Sequence[tuple[int, int]], mode: str) -> tuple[bytes, bool]:
    """Bytes of an image that was brought to the sizes one after the other, and whether the first was not its own."""
    image = _open(encoded, name)
    try:
        if "exif" in image.info:
            image = ImageOps.exif_transpose(image)
        if image.mode != mode or image.has_transparency_data:
            image = _convert(image, mode)
        is_other = image.size != sizes[0]
        for size in sizes:
            image = image if image.size == size else resampled(image, size)
        return image.tobytes(), is_other
    except _BROKEN as error:
        raise UserError(
            f"The image {shown(name)} cannot be read ({_reason(error)}); replace or remove it."
        ) from error


def _convert(image: Image.Image, mode: str) -> Image.Image:
    """Like Pillow's convert, but 16-bit grey and floats in [0, 1] are scaled, and what is transparent shows white.

    Raises:
        ValueError: floats outside [0, 1] and [0, 255].
    """
    if image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255):
            raise ValueError("its numbers lie neither in [0, 1] nor in [0, 255]")
        grey = np.round(values * 255 if values.max() <= 1 else values).astype(np.uint8)
        return Image.fromarray(grey).convert(mode)
    if image.mode.startswith("I"):
        image = Image.fromarray(
            np.round(np.asarray(image, dtype=np.float64) / 257).clip(0, 255).astype(np.uint8)
        )
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)


@contextlib.contextmanager
def large_ones() -> Iterator[None]:
    """Silence what Pillow says about large images; those that are too large it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _reason(error: BaseException) -> str:
    text = str(error).split("\n")[0]
    return "not an image" if text.startswith("cannot identify") else text
