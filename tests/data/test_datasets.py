from dataclasses import replace

import pytest
import torch

from gradlab.data import Dataset, Split, load
from gradlab.types import UserError


@pytest.fixture(scope="module")
def data():
    return load("digits")


def test_a_data_set_says_what_it_is(data):
    assert repr(data) == (
        "Dataset('digits': 1,293 train, 144 validation, 360 test; images 1×8×8, 10 classes (0, 1, 2, 3, …))"
    )


def test_html_names_parts_and_checksum_and_escapes_what_people_wrote(data):
    html = replace(data, name="<b>", notes=("a < b",))._repr_html_()
    assert "1,293 images" in html
    assert data.checksum in html
    assert "&lt;b&gt;" in html
    assert "a &lt; b" in html
    assert "<b>" not in html


@pytest.mark.parametrize("role", ["train", "validation"])
def test_test_images_cannot_be_put_into_another_part(data, role):
    with pytest.raises(
        UserError, match=rf"The {role} part of 'digits' must be a {role} split, got the test split"
    ):
        replace(data, **{role: data.test[:50]})


def test_parts_of_another_shape_are_refused(data):
    other = Split(torch.zeros(2, 1, 9, 9, dtype=torch.uint8), torch.tensor([0, 1]), "train")
    with pytest.raises(UserError, match="images of one shape"):
        replace(data, train=other)


def test_no_part_at_all_is_refused():
    with pytest.raises(UserError, match="no part at all"):
        Dataset("x", None, None, None, ("a", "b"))


def test_trainable_gives_train_and_validation_or_says_what_is_missing(data):
    assert data.trainable() == (data.train, data.validation)
    with pytest.raises(
        UserError, match=r"Data 'noise' has no train part here \(only test\), so nothing can be trained"
    ):
        load("noise").trainable()
    with pytest.raises(UserError, match=r"no validation part"):
        replace(data, validation=None).trainable()


def test_mean_and_deviation_are_those_of_train_alone(data):
    pixels = data.train.images.double() / 255
    assert data.mean == pytest.approx((pixels.mean().item(),), rel=1e-12)
    assert data.std == pytest.approx((pixels.std(correction=0).item(),), rel=1e-12)
    assert data.num_classes == 10
    assert data.input_shape == (1, 8, 8)


def test_facts_follow_the_parts_when_these_are_replaced(data):
    fewer = replace(data, train=data.train[:100])
    assert fewer.mean == pytest.approx(((data.train.images[:100].double() / 255).mean().item(),), rel=1e-12)
    assert fewer.checksum != data.checksum
    assert replace(data, train=data.train[:]).checksum == data.checksum


def test_moving_keeps_parts_and_facts(data):
    moved = data.to("meta")
    assert {split.images.device.type for split in moved.splits.values()} == {"meta"}
    assert (moved.checksum, moved.mean) == (data.checksum, data.mean)
    assert load("noise").to("meta").train is None
