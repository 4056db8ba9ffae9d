"""Stated limits on what is read: files that are files, pictures and tables that fit into memory."""

from __future__ import annotations

import stat
from pathlib import Path

from gradlab.types import UserError

MEMORY_LIMIT = 8 * 2**30
"""Bytes of decoded images of one part above which a smaller size has to be chosen."""
PIXEL_LIMIT = 2**26
"""Pixels of one picture before it is resized: 67 megapixels, such as 8192×8192."""
PICTURE_BYTES = 2**28
"""Bytes of one encoded picture: 256 MiB."""
TABLE_BYTES = 2**33
"""Bytes that the columns of one table may take in memory: 8 GiB ..."""
UNPACKED_FLOOR, UNPACKED_RATIO = 2**28, 100
"""... and at most 256 MiB plus a hundred times its file."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""What pictures may be (Pillow's names; PPM covers PBM, PGM and PNM). Formats that another program draws, such as
PostScript, are not among them."""


def check_file(path: Path, most: int | None = None) -> None:
    """Refuse what is no regular file (a pipe, a device, a socket, a folder, a broken or endless link), before it is read.

    Args:
        path: of the file; a link to a regular file is one.
        most: bytes that it may have.

    Raises:
        UserError: it is none, or larger.
    """
    try:
        status = path.stat()
    except OSError as error:
        reason = "a link that leads nowhere" if path.is_symlink() else error.strerror
        raise UserError(f"{shown(path)} cannot be read ({reason}); replace or remove it.") from error
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{shown(path)} cannot be read (no regular file); replace or remove it.")
    if most is not None and status.st_size > most:
        raise UserError(
            f"{shown(path)} has {gibibytes(status.st_size)}, and at most {gibibytes(most)} are read; make it smaller."
        )


def check_decoded(count: int, channels: int, size: tuple[int, int]) -> None:
    """Refuse images that would take too much memory; `size` is (H, W)."""
    total = count * channels * size[0] * size[1]
    if total > MEMORY_LIMIT:
        raise UserError(
            f"{count:,} images of {size[1]}×{size[0]} pixels would take "
            f"{total / 2**30:.0f} GiB decoded; pass a smaller size, such as size=(64, 64)."
        )


def pixels_reason(size: tuple[int, int]) -> str | None:
    """Say why a picture of (width, height) is too large; None where it is not."""
    if size[0] * size[1] <= PIXEL_LIMIT:
        return None
    return f"{size[0]}×{size[1]} pixels, and at most {PIXEL_LIMIT // 10**6} megapixels are read"


def shown(path: object) -> str:
    """A path that can be printed, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def gibibytes(count: int) -> str:
    """Bytes in words."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
