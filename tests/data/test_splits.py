import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradlab.data import Split, load
from gradlab.types import UserError


@pytest.fixture(scope="module")
def data():
    return load("digits")


def make_split(count=6, role="train"):
    return Split(
        torch.arange(count * 4, dtype=torch.uint8).reshape(count, 1, 2, 2), torch.arange(count), role
    )


@pytest.mark.parametrize(
    "index",
    [
        slice(1, 3),
        torch.tensor([1, 2]),
        np.array([1, 2]),
        [1, 2],
        torch.tensor([False, True, True, False, False, False]),
        [False, True, True, False, False, False],
    ],
)
def test_a_subset_has_the_right_rows_and_keeps_the_role(index):
    for role in ("train", "validation", "test"):
        part = make_split(role=role)[index]
        assert part.role == role
        assert part.labels.tolist() == [1, 2]
        assert part.images[:, 0, 0, 0].tolist() == [4, 8]


def test_one_index_gives_image_and_label_as_a_data_loader_expects(data):
    image, label = data.train[3]
    assert image.shape == (1, 8, 8)
    assert label == data.train[np.int64(3)][1] == int(data.train.labels[3])
    assert sum(1 for _ in data.train) == len(data.train)
    loader = torch.utils.data.DataLoader(data.train, batch_size=4)
    images, labels = next(iter(loader))
    assert (images == data.train.images[:4]).all()
    assert (labels == data.train.labels[:4]).all()


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, replace, lambda s: pickle.loads(pickle.dumps(s)), lambda s: s.to("cpu")],
    ids=["copy", "deepcopy", "replace", "pickle", "to"],
)
def test_every_copy_keeps_role_and_content(data, copied):
    again = copied(data.test)
    assert again.role == "test"
    assert again.origin == data.test.origin
    assert (again.images == data.test.images).all()


@pytest.mark.parametrize("role", ["train", "validation"])
@pytest.mark.parametrize(
    "escape",
    [
        lambda s, role: replace(s, role=role),
        lambda s, role: replace(s[:5], role=role),
        lambda s, role: replace(copy.deepcopy(s), role=role),
        lambda s, role: Split(s.images, s.labels, role),
        lambda s, role: Split(s.images[:5], s.labels[:5], role),
        lambda s, role: Split(copy.deepcopy(s.images), s.labels, role),
        lambda s, role: replace(s, role=role, images=s.images.clone()),
    ],
)
def test_a_test_split_cannot_change_its_role(data, role, escape):
    with pytest.raises(UserError, match=rf"test images of 'digits' cannot become a {role} split"):
        escape(data.test, role)


def test_a_split_cannot_be_written_to():
    with pytest.raises(AttributeError):
        make_split().role = "test"


def test_to_the_same_device_is_the_same_object(data):
    assert data.train.to("cpu") is data.train
    meta = data.train.to("meta")
    assert meta.images.device.type == "meta"
    assert (meta.role, meta.origin) == ("train", data.train.origin)


def test_a_split_says_what_it_is(data):
    assert repr(data.test) == "Split(360 test images 1×8×8 of 'digits', cpu)"


@pytest.mark.parametrize(
    ("images", "labels", "role", "sentence"),
    [
        (
            torch.zeros(2, 1, 2, 2),
            torch.zeros(2).long(),
            "train",
            r"type uint8, got \(2, 1, 2, 2\) torch.float32",
        ),
        (torch.zeros(2, 2, 2).byte(), torch.zeros(2).long(), "train", r"shape \(N, C, H, W\)"),
        (torch.zeros(2, 1, 2, 2).byte(), torch.zeros(3).long(), "train", r"labels of shape \(2,\)"),
        (torch.zeros(2, 1, 2, 2).byte(), torch.zeros(2).int(), "train", r"type int64"),
        (
            torch.zeros(2, 1, 2, 2).byte(),
            torch.zeros(2).long(),
            "dev",
            r"role must be one of train, validation, test",
        ),
    ],
)
def test_what_is_no_split_is_refused(images, labels, role, sentence):
    with pytest.raises(UserError, match=sentence):
        Split(images, labels, role)
