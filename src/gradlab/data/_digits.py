"""The embedded 1,797 handwritten digits that ship with scikit-learn (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gradlab.data._facts import Images, Labels


def digits() -> tuple[Images, Labels]:
    """Return (1797, 1, 8, 8) uint8 images and their labels; grey 0..16 is scaled to 0..255 and rounded.

    The file is read without importing scikit-learn, which would take longer than the reading.
    """
    spec = find_spec("sklearn")
    folder = Path((spec.submodule_search_locations or [""])[0]) if spec else Path()
    file = folder / "datasets" / "data" / "digits.csv.gz"
    if file.is_file():
        with gzip.open(file, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
        values, labels = table[:, :-1], table[:, -1]
    else:
        from sklearn.datasets import load_digits

        values, labels = load_digits(return_X_y=True)
    images = np.round(values * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    return images, labels.astype(np.int64)
