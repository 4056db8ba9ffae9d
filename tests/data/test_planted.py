import numpy as np
import pytest
from sklearn.datasets import load_digits

from gradlab.data import arrays, info, load, planted_masks
from gradlab.data._planted import HIGH, LOW, SIDE, planted


@pytest.fixture(scope="module")
def made():
    return planted()


def test_every_image_is_a_digit_with_one_square_patch_of_two_grey_levels(made):
    images, _ = made
    masks = planted_masks(images)
    assert (masks.sum((1, 2)) == SIDE**2).all()
    assert {LOW, HIGH} == set(images[:, 0][masks].tolist())
    for mask in masks[:50]:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert (np.ptp(rows), np.ptp(columns)) == (SIDE - 1, SIDE - 1)
    digits = np.round(load_digits().images * 255 / 16).astype(int).repeat(2, 1).repeat(2, 2)
    assert (abs(images[:, 0].astype(int) - digits)[~masks] <= 1).all()


def test_the_label_is_the_pattern_and_nothing_else(made):
    images, labels = made
    patches = {}
    for image, mask, label in zip(images[:, 0], planted_masks(images), labels, strict=True):
        patches.setdefault(int(label), set()).add(image[mask].tobytes())
    assert [len(patches[label]) for label in range(4)] == [1, 1, 1, 1]
    assert len(set.union(*patches.values())) == 4
    by_name = {name: np.frombuffer(next(iter(patches[k])), np.uint8).reshape(SIDE, SIDE) for k, name in enumerate(
        info("planted").class_names)}  # fmt: skip
    assert (by_name["rows"] == by_name["rows"][:, :1]).all()
    assert (by_name["columns"] == by_name["rows"].T).all()
    assert (by_name["ring"] == by_name["ring"].T).all()


def test_pattern_and_place_are_spread_evenly_and_know_nothing_of_the_digit(made):
    images, labels = made
    assert np.bincount(labels, minlength=4).min() > 400
    tops = planted_masks(images).any(2).argmax(1)
    assert np.bincount(tops, minlength=17 - SIDE).min() > 100
    shares = [np.bincount(labels[load_digits().target == digit], minlength=4).max() for digit in range(10)]
    assert max(shares) < 0.4 * 180


def test_it_is_a_data_set_like_any_other_and_never_changes():
    data = load("planted")
    assert {role: len(split) for role, split in data.splits.items()} == {
        "train": 1293,
        "validation": 144,
        "test": 360,
    }
    test = arrays("planted[rows,ring]:rgb").parts["test"]
    assert test.images.shape[1:] == (3, 16, 16)
    assert (planted_masks(test.images).sum((1, 2)) == SIDE**2).all()
    assert info("planted").checksum.startswith(CHECKSUM)


CHECKSUM = "sha256:8a01aa61449a6fde"
