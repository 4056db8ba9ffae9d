"""Sources of foreign data, and classes that overlap in meaning, on the registered data sets."""

import pytest

from gradlab.data.registry import DATASETS
from gradlab.detection.sources import (
    KIN,
    names_of_classes,
    overlapping_classes,
    refuse_known,
    refuse_shared_source,
    source_of,
)
from gradlab.types import UserError

CIFAR10 = DATASETS["cifar10"].class_names


def test_data_of_one_source_are_known_by_name_however_they_are_derived():
    assert source_of("tiny_imagenet[goose]@32") == source_of("imagenette@32") == "ImageNet"
    assert source_of("noise@8:grey") == source_of("gaussian-noise") == "noise"
    assert source_of("cifar100[bottle]#10") == source_of("cifar100-coarse") != source_of("cifar10")


def test_tuning_on_the_source_of_a_reported_set_is_refused():
    refuse_shared_source("tiny-imagenet@32", ["cifar100", "mnist@32:rgb"])
    with pytest.raises(
        UserError, match=r"'tiny-imagenet@32', and 'imagenette@32' comes from the same source \(ImageNet\)"
    ):
        refuse_shared_source("tiny-imagenet@32", ["cifar100", "imagenette@32"])


def test_classes_of_cifar100_that_published_subsets_left_in_are_found():
    """Lab 004 compared exact names alone, and kept pickup truck, bus, streetcar and wolf."""
    found = overlapping_classes(CIFAR10, DATASETS["cifar100"].class_names)
    assert {"pickup_truck", "bus", "streetcar", "wolf"} <= set(found)
    assert found["pickup_truck"] == "truck"
    assert not {"apple", "bottle", "maple_tree", "rocket", "cattle", "plate", "sea"} & set(found)


def test_kinds_of_one_class_are_found_among_two_hundred():
    found = overlapping_classes(CIFAR10, DATASETS["tiny-imagenet"].class_names)
    assert found["Persian cat"] == found["tabby"] == "cat"
    assert found["golden retriever"] == found["Chihuahua"] == "dog"
    assert found["sports car"] == "automobile"
    assert found["bullfrog"] == "frog"
    assert found["king penguin"] == "bird"
    assert found["lifeboat"] == "ship"
    assert 25 <= len(found) <= 40


def test_digits_and_clothes_overlap_with_nothing_else():
    digits, clothes = DATASETS["mnist"].class_names, DATASETS["fashion-mnist"].class_names
    assert overlapping_classes(digits, clothes) == {}
    assert overlapping_classes(digits[:8], digits[8:]) == {}
    assert overlapping_classes(digits[:8], digits[7:]) == {"7": "7"}


def test_the_table_names_every_class_of_cifar10():
    assert set(KIN) == set(CIFAR10)


def test_a_name_that_is_none_of_derived_data_is_a_source_of_its_own():
    assert source_of("a@b") == "a@b"
    assert source_of("cifar10[0") == "cifar10[0"


def test_classes_of_catalogued_data_are_known_by_name():
    assert names_of_classes("cifar10[bird,7-9]@16") == ("bird", "horse", "ship", "truck")
    assert names_of_classes("mnist@8") == DATASETS["mnist"].class_names
    assert names_of_classes("mine[0-3]") == ()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits[8,9]", r"comes from the same source \(digits\)"),
        ("digits[0-5]", r"comes from the same source \(digits\)"),
        ("mnist@8", r"mean the same as known ones: 0 \(0\), 1 \(1\)"),
    ],
)
def test_tuning_on_what_the_network_knows_is_refused(name, sentence):
    with pytest.raises(UserError, match=sentence):
        refuse_known("digits[0-7]", tuple("01234567"), name, names_of_classes(name))


def test_other_data_and_classes_that_are_mere_numbers_may_tune():
    refuse_known("digits[0-7]", tuple("01234567"), "photos@8:grey", ("tree",))
    refuse_known("tensors", ("0", "1"), "tensors", ("0", "1"))
    with pytest.raises(UserError, match="same source"):
        refuse_known("mine[a]", ("a",), "mine[b]", ("b",))
