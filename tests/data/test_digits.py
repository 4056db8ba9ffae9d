import numpy as np
from sklearn.datasets import load_digits

from gradlab.data import info, load
from gradlab.data._digits import digits


def test_digits_are_those_of_scikit_learn_scaled_to_grey_levels():
    images, labels = digits()
    values, expected = load_digits(return_X_y=True)
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.uint8
    assert (labels == expected).all()
    assert sorted(set(images.ravel().tolist())) == [round(x * 255 / 16) for x in range(17)]
    assert (np.round(images.reshape(1797, 64) / 255 * 16) == values).all()


def test_digits_are_read_alike_where_the_file_lies_elsewhere(monkeypatch):
    by_file = digits()
    monkeypatch.setattr("gradlab.data._digits.find_spec", lambda _: None)
    by_function = digits()
    assert all((a == b).all() for a, b in zip(by_file, by_function, strict=True))


def test_digits_have_fixed_parts_of_360_144_and_the_rest():
    data = load("digits")
    assert {role: len(split) for role, split in data.splits.items()} == {
        "train": 1293, "validation": 144, "test": 360,
    }  # fmt: skip
    whole = np.bincount(load_digits().target)
    for split in data.splits.values():
        shares = np.bincount(split.labels.numpy()) / len(split)
        assert np.abs(shares - whole / 1797).max() < 1 / len(split) * 1.5


def test_the_parts_together_are_the_whole():
    data = load("digits")
    rows = np.concatenate([split.images.numpy().reshape(-1, 64) for split in data.splits.values()])
    assert sorted(map(bytes, rows)) == sorted(map(bytes, digits()[0].reshape(-1, 64)))


def test_the_published_division_never_changes():
    """A pinned value, on purpose: results of two releases compare only while the test images are the same."""
    assert info("digits").checksum.startswith("sha256:cb6e07c9c2226dff")
