import os

import numpy as np
import pytest

from tests.data import make

DATA = os.environ.get("GRADLAB_DATA", "")


@pytest.fixture
def real_data():
    """The data directory of the person who runs the tests."""
    return DATA


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or writes the cache or the data of the person who runs it."""
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRADLAB_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def mnist_like(tmp_path, rng):
    """A data directory with a small `mnist` in the Hub's layout: 60 train and 20 test images."""
    for part, count in (("train", 60), ("test", 20)):
        images, labels = make.images(rng, count, 28, 28), np.arange(count) % 10
        make.parquet(tmp_path / "store" / "mnist" / f"{part}.parquet", images, labels)
    return tmp_path / "store"
