"""Single pictures for a network: found, decoded, and brought to its shape, with a word on what was done (no torch)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gradlab.data._decode import _BROKEN, _convert, _reason, check_pixels, large_ones
from gradlab.data._facts import Images
from gradlab.data._folders import SUFFIXES
from gradlab.data._limits import FORMATS
from gradlab.data._resampling import resampled
from gradlab.types import UserError


@dataclass(frozen=True)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: (C, H, W) uint8. changes: what was done to it beside decoding; empty where nothing was.
    """

    pixels: Images
    changes: tuple[str, ...]


def find_pictures(paths: Sequence[str | Path]) -> list[Path]:
    """Return the files named, and those below the folders named, in order; each once.

    In folders, hidden files and files that are no pictures by their suffix are passed over, and links to folders are
    not followed.

    Raises:
        UserError: a path that does not exist, or a folder without pictures.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = _below(path)
            if not inside:
                raise UserError(
                    f"{path} holds no pictures ({', '.join(sorted(SUFFIXES))}); name another folder or the files."
                )
            found |= dict.fromkeys(inside)
        elif path.exists() or path.is_symlink():
            found[path] = None
        else:
            raise UserError(f"there is no file or folder {path}; check the path.")
    return list(found)


def _below(folder: Path) -> list[Path]:
    files = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [
            Path(root, name)
            for name in sorted(names)
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    return files


def read_picture(path: Path, shape: tuple[int, int, int] | tuple[int]) -> Picture:
    """Decode a picture and bring it to `shape`, as data sets of pictures are read.

    It is turned as its camera says, converted to grey or RGB by the number of channels, and resized bilinearly with
    antialiasing where its size is another, the aspect not kept. What is transparent shows white.

    Args:
        path: of the file. shape: (C, H, W) with C = 1 or 3; (C,) leaves its size as it is.

    Raises:
        UserError: it cannot be read, or the shape has another number of channels.
    """
    channels, *size = shape
    if channels not in (1, 3):
        raise UserError(f"pictures have 1 or 3 channels, not {channels}; read other images in Python.")
    mode = "L" if channels == 1 else "RGB"
    if path.exists() and not path.is_file():
        raise UserError(f"{path} cannot be read (no regular file)")
    changes = []
    try:
        with large_ones(), Image.open(path, formats=FORMATS) as opened:
            check_pixels(opened)
            if getattr(opened, "n_frames", 1) > 1:
                changes.append(f"first of {opened.n_frames} frames")  # type: ignore[attr-defined]
            image: Image.Image = opened
            if "exif" in opened.info and opened.getexif().get(0x0112, 1) in range(2, 9):
                changes.append("turned as the camera says")
                image = ImageOps.exif_transpose(opened)
            if image.mode != mode or image.has_transparency_data:
                white = " over white" if image.has_transparency_data else ""
                if white or not (image.mode == "1" and mode == "L"):
                    changes.append(f"{_said(image.mode)} to {_said(mode)}{white}")
                image = _convert(image, mode)
            height, width = size or (image.height, image.width)
            if image.size != (width, height):
                changes.append(f"resized from {image.height}×{image.width} to {height}×{width}")
                image = resampled(image, (width, height))
            pixels = np.array(image, dtype=np.uint8)
    except _BROKEN as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _reason(error)
        raise UserError(f"{path} cannot be read ({reason})") from error
    return Picture(
        pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1)), tuple(changes)
    )


def _said(mode: str) -> str:
    """A mode in words."""
    words = {
        "L": "grey",
        "1": "black and white",
        "LA": "grey with alpha",
        "RGBA": "RGB with alpha",
        "P": "palette",
        "F": "grey in floats",
    }
    return words.get(mode, "16-bit grey" if mode.startswith("I") else mode)
