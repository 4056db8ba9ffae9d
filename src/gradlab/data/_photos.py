"""Patches of the two photographs that ship with scikit-learn: real pictures without a download, for foreign data."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from gradlab.data._facts import Images, Labels
from gradlab.data._names import PHOTOS
from gradlab.types import UserError

PATCH = 32
"""Side of a patch in pixels."""


def photo_patches() -> tuple[Images, Labels]:
    """Return (520, 3, 32, 32) uint8 patches, label 0 of the temple and 1 of the flower.

    The photographs, 427×640 pixels each, are cut into 13 × 20 patches that do not overlap, row by row from the upper
    left corner; the 11 rows of pixels that are left over at the bottom are not used. scikit-learn is not imported.

    Raises:
        UserError: scikit-learn came without its photographs.
    """
    spec = find_spec("sklearn")
    folder = Path((spec.submodule_search_locations or [""])[0] if spec else "") / "datasets" / "images"
    patches = []
    for name in PHOTOS:
        try:
            with Image.open(folder / f"{name}.jpg", formats=("JPEG",)) as photo:
                patches.append(cut(np.asarray(photo.convert("RGB"))))
        except OSError as error:
            raise UserError(
                f"scikit-learn's photograph {name}.jpg cannot be read ({error.strerror or 'not an image'}); install "
                "scikit-learn again."
            ) from error
    return np.concatenate(patches), np.repeat(np.arange(len(PHOTOS)), [len(one) for one in patches])


def cut(photo: Images) -> Images:
    """Cut (H, W, 3) into (N, 3, 32, 32) patches, row by row; what is left over at the edges is dropped."""
    rows, columns = photo.shape[0] // PATCH, photo.shape[1] // PATCH
    grid = photo[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH, 3)
    return np.ascontiguousarray(grid.transpose(0, 2, 4, 1, 3).reshape(-1, 3, PATCH, PATCH))
